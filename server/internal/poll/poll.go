// Package poll waits in tests for what does not depend on how busy a machine is.
package poll

import (
	"testing"
	"time"
)

// patience only ends a run that hangs.
const patience = time.Minute

// Until ends the test where a condition does not come true; what names what was waited for.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	Within(t, patience, what, condition)
}

// Within has a limit of its own.
func Within(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no sign of %s within %s", what, limit)
		}
	}
}
