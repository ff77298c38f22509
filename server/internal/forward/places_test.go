package forward

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBoundsConnections has two places, which one address has at work. Another one of it gets none, and that
// of who does nothing; one of another address gets one at once.
func TestBoundsConnections(t *testing.T) {
	for name, test := range map[string]struct {
		idle  time.Duration
		from  net.IP
		taken bool
	}{
		"at work":         {time.Hour, net.IPv4(127, 0, 0, 1), false},
		"doing nothing":   {0, net.IPv4(127, 0, 0, 1), true},
		"another address": {time.Hour, net.IPv4(127, 0, 0, 2), true},
	} {
		t.Run(name, func(t *testing.T) {
			forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) { _, _ = io.Copy(c, c) }), Options{Connections: 2})
			forwarder.restAfter(test.idle)
			letter := []byte("x")
			first, second := forwarder.dial(t), forwarder.dial(t)
			for _, each := range []*net.TCPConn{first, second} {
				if err := say(each, letter); err != nil {
					t.Fatal(err)
				}
			}
			from := net.Dialer{LocalAddr: &net.TCPAddr{IP: test.from}, Deadline: time.Now().Add(patience)}
			third, err := from.DialContext(t.Context(), "tcp", forwarder.Addr().String())
			if err == nil {
				defer third.Close()
				_ = third.SetDeadline(time.Now().Add(patience))
				err = say(third.(*net.TCPConn), letter)
			}
			if (err == nil) != test.taken || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the third: %v", err)
			}
			left := 0
			for _, each := range []*net.TCPConn{first, second} {
				if say(each, letter) == nil {
					left++
				}
			}
			if want := map[bool]int{false: 2, true: 1}[test.taken]; left != want || cap(forwarder.places.slots) != 2 {
				t.Errorf("%d are left, of %d places", left, cap(forwarder.places.slots))
			}
		})
	}
}

// restAfter is how long who does nothing keeps a place.
func (r *running) restAfter(limit time.Duration) {
	r.places.mu.Lock()
	defer r.places.mu.Unlock()
	r.places.idle = limit
}

// say writes a letter to who says the same.
func say(connection *net.TCPConn, letter []byte) error {
	if _, err := connection.Write(letter); err != nil {
		return err
	}
	_, err := io.ReadFull(connection, letter)
	return err
}

// TestSharesPlaces has one address take all places and never stand still, and go on to ask for more, and
// another one with fewer, which stands still.
func TestSharesPlaces(t *testing.T) {
	const number = 8
	forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) { _, _ = io.Copy(c, c) }), Options{Connections: number})
	stop := make(chan struct{})
	var crowd sync.WaitGroup
	defer crowd.Wait()
	defer close(stop)
	var at atomic.Int32
	for range number + 4 {
		crowd.Go(func() {
			for letter, own := []byte("y"), (*net.TCPConn)(nil); ; {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				if own == nil {
					// It asks again whenever its place is taken.
					connection, err := net.Dial("tcp", forwarder.Addr().String())
					if err != nil {
						continue
					}
					own = connection.(*net.TCPConn)
					defer own.Close()
				}
				if say(own, letter) != nil {
					own = nil
					continue
				}
				at.Add(1)
			}
		})
	}
	for end := time.Now().Add(patience); at.Load() < 10*number; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("there is no crowd")
		}
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	var others []*net.TCPConn
	for range 3 {
		connection, err := from.DialContext(t.Context(), "tcp", forwarder.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		others = append(others, connection.(*net.TCPConn))
		// Those before stood still since.
		for _, each := range others {
			if err := say(each, []byte("x")); err != nil {
				t.Fatalf("of %d: %v", len(others), err)
			}
		}
	}
}

// TestMakesRoom has somebody take all places but one and do nothing, beside one at work.
func TestMakesRoom(t *testing.T) {
	const number = 8
	forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) { _, _ = io.Copy(c, c) }), Options{Connections: number})
	forwarder.restAfter(500 * time.Millisecond)
	for range number - 1 {
		forwarder.dial(t)
	}
	busy := forwarder.dial(t)
	stop, worked := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			if err := say(busy, []byte("x")); err != nil {
				worked <- err
				return
			}
			select {
			case <-stop:
				worked <- nil
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	for end := time.Now().Add(patience); forwarder.standing(500*time.Millisecond) < number-1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody stands still")
		}
	}
	for range number - 1 {
		if err := say(forwarder.dial(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if err := <-worked; err != nil {
		t.Errorf("the one at work was cut off: %v", err)
	}
}

// standing is how many connections have stood still so long.
func (r *running) standing(limit time.Duration) (number int) {
	r.places.mu.Lock()
	defer r.places.mu.Unlock()
	for client := range r.places.taken {
		if still(client) >= limit {
			number++
		}
	}
	return number
}
