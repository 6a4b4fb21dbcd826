package program

import "errors"

// Cleanups are what is to be undone, the last first. The zero value has nothing.
type Cleanups struct{ undo []func() error }

// Add has something undone by Run.
func (c *Cleanups) Add(f func() error) { c.undo = append(c.undo, f) }

// Run undoes everything, once, whatever fails, and returns all errors.
func (c *Cleanups) Run() error {
	var errs []error
	for i := len(c.undo) - 1; i >= 0; i-- {
		errs = append(errs, c.undo[i]())
	}
	c.undo = nil
	return errors.Join(errs...)
}
