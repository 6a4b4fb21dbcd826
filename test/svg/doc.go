// Package svg draws small pictures for documentation: text, shapes, and charts of lines. A picture is one file of SVG without
// scripts, fonts or references, has its own colours for light and for dark surroundings, and is the same, byte for byte, for the
// same content.
package svg
