package cluster

import (
	"errors"
	"fmt"
	"io"
)

// ExitAttention is the exit code of status and doctor when they found what they look for.
const ExitAttention = 2

// ExitError ends the program with a code. Its message, if any, goes to stderr.
type ExitError struct {
	Code    int
	Message string
}

// Error implements error.
func (e *ExitError) Error() string { return e.Message }

// ExitCode is what the program of that name ends with. Why goes to stderr, unless it was said.
func ExitCode(err error, program string, stderr io.Writer) int {
	code := 1
	var coded *ExitError
	if errors.As(err, &coded) {
		code = coded.Code
	}
	if text := err.Error(); text != "" {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", program, text)
	}
	return code
}
