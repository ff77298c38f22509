package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Report is what a transfer did.
type Report struct {
	From, To string
	DryRun   bool

	started            time.Time
	took               time.Duration
	blobs, links, tags count
	bytes              atomic.Int64

	mutex           sync.Mutex
	failures, notes []string
}

// count is what became of one kind of files.
type count struct {
	written, kept, dangling atomic.Int64
	// absent are those that the source lists but does not have.
	absent atomic.Int64
}

func (c *count) String() string {
	text := fmt.Sprintf("%d, there already %d", c.written.Load(), c.kept.Load())
	if dangling := c.dangling.Load(); dangling > 0 {
		text += fmt.Sprintf(", left out %d that name nothing", dangling)
	}
	if absent := c.absent.Load(); absent > 0 {
		text += fmt.Sprintf(", listed but not there %d", absent)
	}
	return text
}

func (r *Report) addFailure(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *Report) addNote(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// failure lists all that could not be copied.
func (r *Report) failure() error {
	if len(r.failures) == 0 {
		return nil
	}
	slices.Sort(r.failures)
	return errors.New("not everything was copied; run it again when this is put right:\n  " + strings.Join(r.failures, "\n  "))
}

func (r *Report) String() string {
	var b strings.Builder
	verb := "copied"
	if r.DryRun {
		verb = "to copy"
	}
	fmt.Fprintf(&b, "%s from %s to %s in %s\n", verb, r.From, r.To, r.took.Round(100*time.Millisecond))
	fmt.Fprintf(&b, "  blobs  %d (%s), there already %d\n", r.blobs.written.Load(), inUnits(r.bytes.Load()), r.blobs.kept.Load())
	fmt.Fprintf(&b, "  links  %s\n", &r.links)
	fmt.Fprintf(&b, "  tags   %s\n", &r.tags)
	slices.Sort(r.notes)
	for _, note := range r.notes {
		fmt.Fprintf(&b, "  %s\n", note)
	}
	return b.String()
}

// inUnits is a number of bytes for people.
func inUnits(bytes int64) string {
	size, units := float64(bytes), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for len(units) > 1 && size >= 1024 {
		size, units = size/1024, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", size, units[0])
}
