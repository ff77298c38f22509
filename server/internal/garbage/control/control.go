// Package control has the command garbage-collect and a server that runs on the same machine agree on which
// of them collects: the server, if there is one.
package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/garbage"
	"container-registry/server/internal/store"
)

// ErrNoServer says that no server of this configuration runs here.
var ErrNoServer = errors.New("no server of this configuration runs on this machine")

// socketOf is the address at which a server takes orders: a socket without a file, which
// only processes in the same network namespace can reach. Connections from other users are
// turned away.
func socketOf(c *configuration.Configuration) string {
	return "@container-registry-" + digest.FromString(store.Of(c).String() + "\n" + c.HTTP.Addr).Encoded()[:16]
}

// event is a line of the answer.
type event struct {
	Line string `json:"line,omitempty"`
	// Error ends the answer, as does Done.
	Error string `json:"error,omitempty"`
	Done  bool   `json:"done,omitempty"`
}

// Listen takes orders from Order for a collector until ctx ends, and then waits for those under way to
// end.
func Listen(ctx context.Context, config *configuration.Configuration, collector *garbage.Collector, log *logrus.Entry) error {
	listener, err := net.Listen("unix", socketOf(config))
	if err != nil {
		return err
	}
	// Close closes the connections, and does not wait for their handlers.
	var connections sync.WaitGroup
	defer connections.Wait()
	server := &http.Server{
		Handler:           handler{collector, log},
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				connections.Add(1)
			case http.StateClosed:
				connections.Done()
			}
		},
	}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(ownUserOnly{listener}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type handler struct {
	collector *garbage.Collector
	log       *logrus.Entry
}

// ServeHTTP carries out an order. If the client goes away, the collection ends.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request garbage.Request
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	lines := lineWriter{json.NewEncoder(w)}
	report, err := h.collector.Collect(r.Context(), request, lines)
	if err != nil {
		_ = lines.Encode(event{Error: err.Error()})
		return
	}
	if !request.DryRun {
		h.log.WithFields(report.Fields()).Info("garbage collection done")
	}
	_, _ = io.WriteString(lines, report.String())
	_ = lines.Encode(event{Done: true})
}

// lineWriter sends lines as events, many at a time.
type lineWriter struct{ *json.Encoder }

// Write is called with whole lines.
func (l lineWriter) Write(lines []byte) (int, error) {
	return len(lines), l.Encode(event{Line: string(lines)})
}

// Order has the server of a configuration collect, and copies what it says.
func Order(ctx context.Context, config *configuration.Configuration, request garbage.Request, out io.Writer) error {
	socket := socketOf(config)
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
			}
			return conn, nil
		},
	}}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	order, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client.Do(order)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answers := bufio.NewScanner(response.Body)
	for answers.Scan() {
		var e event
		if err := json.Unmarshal(answers.Bytes(), &e); err != nil {
			return err
		}
		switch {
		case e.Error != "":
			return errors.New(e.Error)
		case e.Done:
			return nil
		}
		if _, err := io.WriteString(out, e.Line); err != nil {
			return err
		}
	}
	return errors.Join(answers.Err(), errors.New("the server ended in the middle of the collection; the next one goes on"))
}
