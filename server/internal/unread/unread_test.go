package unread

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// reader stands still until it goes on.
type reader struct {
	goOn chan struct{}
	read bytes.Buffer
}

func (r *reader) Write(lines []byte) (int, error) {
	<-r.goOn
	return r.read.Write(lines)
}

func small(r *reader, patience time.Duration) *Writer {
	w := &Writer{lines: make(chan []byte, 2), ended: make(chan struct{}), patience: patience}
	go w.pass(r)
	return w
}

// TestReaderThatStandsStill has nobody wait, and learns how much it missed, wherever that was.
func TestReaderThatStandsStill(t *testing.T) {
	r := &reader{goOn: make(chan struct{})}
	w := small(r, time.Millisecond)
	for i := range 100 {
		fmt.Fprintf(w, "%d\n", i)
	}
	// Two wait, and one may be on its way to the reader.
	left := w.leftOut
	if left < 97 || left > 98 {
		t.Errorf("%d lines are left out", left)
	}
	r.goOn <- struct{}{}
	w.mutex.Lock()
	w.patience = time.Hour
	w.mutex.Unlock()
	fmt.Fprintln(w, "then")
	w.mutex.Lock()
	w.patience = 0
	w.mutex.Unlock()
	for i := range 10 {
		fmt.Fprintf(w, "%d\n", i)
	}
	close(r.goOn)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	read := r.read.String()
	if got := strings.Count(read, "\n") - strings.Count(read, "warning: "); strings.Count(read, "warning: ") != 2 ||
		!strings.Contains(read, fmt.Sprintf("warning: %d lines are left out here, as nobody read them in time\nthen\n", left)) || got < 4 {
		t.Errorf("%d lines: %q", got, read)
	}
}

// TestSlowReader gets all of it while there is patience.
func TestSlowReader(t *testing.T) {
	r := &reader{goOn: make(chan struct{})}
	w := small(r, time.Hour)
	go func() {
		for range 10 {
			r.goOn <- struct{}{}
		}
	}()
	for i := range 10 {
		fmt.Fprintf(w, "%d\n", i)
	}
	if err := w.Close(); err != nil || r.read.String() != "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n" {
		t.Errorf("%v: %q", err, r.read.String())
	}
}
