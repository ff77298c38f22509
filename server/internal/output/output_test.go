package output

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const line = "line %08d, which is about as long as one of a request that somebody made of the server\n"

// writeLines writes numbered lines.
func writeLines(w io.Writer, from, to int) {
	for n := from; n < to; n++ {
		fmt.Fprintf(w, line, n)
	}
}

// numbers reads lines, up to so many, and says which they are.
func numbers(t *testing.T, r *bufio.Reader, most int) (all []int) {
	t.Helper()
	for len(all) < most {
		text, err := r.ReadString('\n')
		if err == io.EOF {
			return all
		}
		var n int
		if _, scanned := fmt.Sscanf(text, line, &n); err != nil || scanned != nil {
			t.Fatalf("%q: %v, %v", text, err, scanned)
		}
		all = append(all, n)
	}
	return all
}

// TestUnread has a reader that stands still while more is written than there is room for, and then
// reads again.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, in := io.Pipe()
		w := New(in)
		told := make(chan int64, 10)
		w.tell = func(lines int64) { told <- lines }

		const written = 3 * most / len(line)
		began := time.Now()
		writeLines(w, 0, written)
		if took := time.Since(began); took > patience {
			t.Errorf("writers wait %s", took)
		}
		lost := int(w.Lost())
		if lost < written/3 || lost > written/2+written/3 {
			t.Fatalf("%d of %d lines are lost", lost, written)
		}

		lines := bufio.NewReader(out)
		for i, n := range numbers(t, lines, written-lost) {
			if i != n {
				t.Fatalf("line %d comes in place of %d", n, i)
			}
		}
		if n := <-told; n != int64(lost) {
			t.Errorf("%d lines are told to be lost, of %d", n, lost)
		}
		go writeLines(w, written, written+2)
		if all := numbers(t, lines, 2); all[0] != written || all[1] != written+1 {
			t.Errorf("then lines %d come", all)
		}
		synctest.Wait()
		if len(told) > 0 || w.Lost() != int64(lost) {
			t.Errorf("more is lost: %d", w.Lost()-int64(lost))
		}
	})
}

// TestSlow has a reader that is slower than the writer, and takes all.
func TestSlow(t *testing.T) {
	for _, pause := range []time.Duration{patience / 20, patience / 5} {
		t.Run(pause.String(), func(t *testing.T) { testSlow(t, pause) })
	}
}

func testSlow(t *testing.T, pause time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		out, in := io.Pipe()
		w := New(in)
		go func() {
			writeLines(w, 0, 5*most/len(line))
			w.flush(time.Now().Add(patience))
			in.Close()
		}()
		slow := bufio.NewReaderSize(readerFunc(func(p []byte) (int, error) {
			time.Sleep(pause)
			return out.Read(p)
		}), 64<<10)
		for i, n := range numbers(t, slow, 5*most) {
			if i != n {
				t.Fatalf("line %d comes in place of %d", n, i)
			}
		}
		if w.Lost() > 0 {
			t.Errorf("%d lines are lost", w.Lost())
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestFlush expects the end of a process to wait for a reader, but not for one that stands still.
func TestFlush(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "late": patience / 2, "never": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out, in := io.Pipe()
				w := New(in)
				writeLines(w, 0, 1000)
				var read atomic.Int64
				go func() {
					time.Sleep(late)
					read.Store(int64(len(numbers(t, bufio.NewReader(out), 1000))))
				}()
				began := time.Now()
				w.flush(began.Add(patience))
				if took := time.Since(began); took != min(late, patience) {
					t.Errorf("it takes %s", took)
				}
				synctest.Wait()
				if all := read.Load() == 1000; all != (late < patience) {
					t.Errorf("%d lines are read", read.Load())
				}
				// The reader has ended after that.
				time.Sleep(late)
			})
		})
	}
}

// BenchmarkWriter measures lines as of the access log, to a reader that takes them.
func BenchmarkWriter(b *testing.B) {
	b.Run("unbuffered", func(b *testing.B) { benchmark(b, func(in io.Writer) io.Writer { return in }) })
	b.Run("buffered", func(b *testing.B) { benchmark(b, func(in io.Writer) io.Writer { return New(in) }) })
}

func benchmark(b *testing.B, through func(io.Writer) io.Writer) {
	out, in, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	go func() { _, _ = io.Copy(io.Discard, out) }()
	w, text := through(in), []byte(line)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = w.Write(text)
		}
	})
}
