package transfer

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress writes a line now and then, so that people see that it goes on and how fast.
type progress struct {
	out  io.Writer
	quit chan struct{}
	once sync.Once

	mutex        sync.Mutex
	phase        string
	total, count int
	bytes, last  int64
	lastTime     time.Time
}

func newProgress(out io.Writer, interval time.Duration) *progress {
	p := &progress{out: out, quit: make(chan struct{}), lastTime: time.Now()}
	go p.watch(interval)
	return p
}

func (p *progress) watch(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-p.quit:
			return
		case now := <-ticker.C:
			p.write(now)
		}
	}
}

func (p *progress) stop() { p.once.Do(func() { close(p.quit) }) }

// begin starts a phase with so many items, 0 if their number is not known yet.
func (p *progress) begin(phase string, total int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.phase, p.total, p.count = phase, total, 0
}

func (p *progress) done() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.count++
}

func (p *progress) add(bytes int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.bytes += int64(bytes)
}

// write holds no lock while it writes: its reader may stand still, and collections wait for the transfer.
func (p *progress) write(now time.Time) { fmt.Fprintln(p.out, p.line(now)) }

func (p *progress) line(now time.Time) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	line := p.phase
	if p.total > 0 {
		line = fmt.Sprintf("%s: %d of %d", p.phase, p.count, p.total)
	}
	if p.bytes > 0 {
		line += fmt.Sprintf(", %s copied", inUnits(p.bytes))
	}
	if p.bytes > p.last {
		rate := float64(p.bytes-p.last) / now.Sub(p.lastTime).Seconds()
		line += fmt.Sprintf(", %s/s", inUnits(int64(rate)))
	}
	p.last, p.lastTime = p.bytes, now
	return line
}
