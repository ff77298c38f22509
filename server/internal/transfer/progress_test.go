package transfer

import (
	"testing"
	"time"
)

// stopped reads nothing until it goes on.
type stopped struct{ begun, goOn chan struct{} }

func (s stopped) Write(lines []byte) (int, error) {
	s.begun <- struct{}{}
	<-s.goOn
	return len(lines), nil
}

// TestReaderThatStandsStill does not hold up the transfer, for which collections wait.
func TestReaderThatStandsStill(t *testing.T) {
	out := stopped{make(chan struct{}), make(chan struct{})}
	p := newProgress(out, time.Hour)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.write(time.Now())
	}()
	<-out.begun
	p.begin("blobs", 1)
	p.add(1)
	p.done()
	p.stop()
	close(out.goOn)
	<-ended
	if p.count != 1 {
		t.Error(p.count)
	}
}
