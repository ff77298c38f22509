package server

import (
	"net"
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/health"
	"github.com/docker/go-metrics"
	"github.com/sirupsen/logrus"
)

// newDebugServer serves health and metrics. Unlike the engine's, it leaves out
// /debug/vars, where the engine publishes its whole configuration, secrets too.
func newDebugServer(config configuration.Debug, log *logrus.Entry) (*http.Server, net.Listener, error) {
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/health", health.StatusHandler)
	if config.Prometheus.Enabled {
		path := config.Prometheus.Path
		if path == "" {
			path = "/metrics"
		}
		mux.Handle(path, metrics.Handler())
	}
	return &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: errorLog(log)}, listener, nil
}
