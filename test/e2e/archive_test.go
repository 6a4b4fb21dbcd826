package e2e

import (
	"archive/tar"
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Types of the mode in an archive, see cpio(5).
const (
	cpioDirectory = 0o040000
	cpioRegular   = 0o100000
	cpioLink      = 0o120000
)

// writeArchive writes the image as an archive that a kernel unpacks into its root file
// system (cpio, "newc"). The files of apart go to where it says instead.
func (p pulled) writeArchive(t *testing.T, name string, apart map[string]string) {
	t.Helper()
	out, err := os.Create(name)
	require.NoError(t, err)
	w := bufio.NewWriterSize(out, 1<<20)
	all := p.entries(t)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	// Directories come before what is in them.
	slices.Sort(names)
	for inode, name := range names {
		e := all[name]
		if to, ok := apart[name]; ok {
			require.NoError(t, os.WriteFile(to, e.content, 0o600))
			continue
		}
		mode, content := e.Mode&0o7777, e.content
		switch e.Typeflag {
		case tar.TypeDir:
			mode |= cpioDirectory
		case tar.TypeSymlink:
			mode, content = cpioLink|0o777, []byte(e.Linkname)
		case tar.TypeReg:
			mode |= cpioRegular
		default:
			// Devices are the machine's own.
			continue
		}
		if name != "/" {
			writeEntry(w, strings.TrimPrefix(name, "/"), inode+1, mode, e.Uid, e.Gid, content)
		}
	}
	writeEntry(w, "TRAILER!!!", 0, 0, 0, 0, nil)
	require.NoError(t, w.Flush())
	require.NoError(t, out.Close())
}

// writeEntry leaves errors to the writer, which keeps the first one.
func writeEntry(w *bufio.Writer, name string, inode int, mode int64, uid, gid int, content []byte) {
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode, uid, gid, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0)
	_, _ = w.WriteString(header + name + "\x00")
	pad(w, len(header)+len(name)+1)
	_, _ = w.Write(content)
	pad(w, len(content))
}

func pad(w *bufio.Writer, n int) { _, _ = w.WriteString("\x00\x00\x00"[:(4-n%4)%4]) }
