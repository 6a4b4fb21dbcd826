package main

// bodyFilter keeps the bodies of API requests and responses, which client-go logs
// at verbosity 8 and above, out of the log: Secrets and rendered configs are among
// them. It implements klog.LogFilter.
type bodyFilter struct{}

const bodyWithheld = "(withheld: it may hold credentials)"

// Filter implements klog.LogFilter for unstructured entries, of which none has a body.
func (bodyFilter) Filter(args []any) []any { return args }

// FilterF implements klog.LogFilter for formatted entries, of which none has a body.
func (bodyFilter) FilterF(format string, args []any) (string, []any) { return format, args }

// FilterS implements klog.LogFilter for structured entries.
func (bodyFilter) FilterS(message string, keysAndValues []any) (string, []any) {
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		if keysAndValues[i] == "body" {
			// The slice may be the caller's.
			keysAndValues = append([]any(nil), keysAndValues...)
			keysAndValues[i+1] = bodyWithheld
		}
	}
	return message, keysAndValues
}
