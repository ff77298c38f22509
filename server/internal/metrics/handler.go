// Package metrics tells Prometheus what the engine does not: what repositories hold, how
// logins, pushes and collections end, and what will soon run out. The only labels with values
// that a client may choose are the names of repositories, whose number is bounded.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"container-registry/server/internal/audit"
	"container-registry/server/internal/credential"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/notify"
	"container-registry/server/internal/output"
	"container-registry/server/internal/version"
)

// Sources are the parts of a server that have metrics; a part that the server does not have is nil.
type Sources struct {
	Requests *Requests
	Holdings *holdings.Holdings
	// Collector is nil in a mirror.
	Collector *garbage.Collector
	// Audit and Notifications are set if the configuration has them.
	Audit         *audit.Log
	Notifications *notify.Sender
	// Logins counts logins by their result.
	Logins func() map[credential.Result]int64
	// Expires returns the time at which the certificate ends.
	Expires func() time.Time
	// Folder is where the store is, if it is on this machine.
	Folder *disk.Folder
	// Store says whether the store answers, once that is known.
	Store func() (up, known bool)
	// Upstream returns the state of a mirror's upstream.
	Upstream func() mirror.State
	// Evicted returns what a mirror with a bound has deleted.
	Evicted func() mirror.Evicted
}

// Handler answers with these metrics and with those of the engine and of Go.
func Handler(s Sources) http.Handler {
	own := prometheus.NewRegistry()
	collectors := []prometheus.Collector{reading(build), reading(logs), reading(s.states)}
	if s.Requests != nil {
		collectors = append(collectors, s.Requests.all, s.Requests.refused)
	}
	if s.Holdings != nil {
		collectors = append(collectors, reading(func(t tell) { tellHoldings(t, s.Holdings) }))
	}
	if s.Collector != nil {
		collectors = append(collectors, reading(func(t tell) { tellCollections(t, s.Collector) }))
	}
	if s.Audit != nil {
		collectors = append(collectors, reading(func(t tell) { tellAudit(t, s.Audit) }))
	}
	if s.Notifications != nil {
		collectors = append(collectors, reading(func(t tell) { tellNotifications(t, s.Notifications) }))
	}
	own.MustRegister(collectors...)
	all := prometheus.Gatherers{prometheus.DefaultGatherer, own}
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8})
}

// reading is a collector of values that are looked up when Prometheus asks.
type reading func(tell)

// tell passes a metric on, with the names and values of its labels.
type tell func(kind prometheus.ValueType, name, help string, value float64, labels ...string)

// Describe sends nothing: which metrics there are depends on what has happened.
func (reading) Describe(chan<- *prometheus.Desc) {}

func (r reading) Collect(ch chan<- prometheus.Metric) {
	r(func(kind prometheus.ValueType, name, help string, value float64, labels ...string) {
		var names, values []string
		for i := 0; i < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, value, values...)
	})
}

func build(t tell) {
	t(prometheus.GaugeValue, "registry_build_info", "What runs here.", 1,
		"version", version.Version, "engine", version.Engine(), "go", runtime.Version())
}

func logs(t tell) {
	for stream, w := range map[string]*output.Writer{"stdout": output.Stdout, "stderr": output.Stderr} {
		t(prometheus.CounterValue, "registry_log_lines_lost_total", "Lines of the logs that were lost, as nobody read them in time.", float64(w.Lost()), "stream", stream)
	}
}

// states passes on the metrics that are a single number.
func (s Sources) states(t tell) {
	gauge := prometheus.GaugeValue
	if s.Store != nil {
		if up, known := s.Store(); known {
			t(gauge, "registry_store_up", "Whether the store answers.", number(up))
		}
	}
	if s.Upstream != nil {
		upstream := s.Upstream()
		if !upstream.Asked.IsZero() {
			t(gauge, "registry_mirror_upstream_up", "Whether the upstream of the mirror could be reached when it was asked last.", number(!upstream.Away))
			t(gauge, "registry_mirror_upstream_asked_timestamp_seconds", "When that was.", seconds(upstream.Asked))
		}
	}
	if s.Evicted != nil {
		evicted := s.Evicted()
		t(gauge, "registry_mirror_max_bytes", "What the cache of the mirror may hold.", float64(evicted.Most))
		t(prometheus.CounterValue, "registry_mirror_evicted_blobs_total", "Layers and manifests that were deleted from the cache to keep it below its size.", float64(evicted.Blobs))
		t(prometheus.CounterValue, "registry_mirror_evicted_bytes_total", "Their bytes.", float64(evicted.Bytes))
	}
	if s.Expires != nil {
		t(gauge, "registry_certificate_expiry_timestamp_seconds", "When the certificate in use ends.", seconds(s.Expires()))
	}
	if s.Logins != nil {
		for result, count := range s.Logins() {
			t(prometheus.CounterValue, "registry_logins_total", "Logins by user and password, and how they ended; remembered are those that the cache of credentials knew.", float64(count), "result", string(result))
		}
	}
	if s.Folder == nil {
		return
	}
	if space, err := s.Folder.Space(); err == nil {
		t(gauge, "registry_disk_total_bytes", "Size of the file system with the images.", float64(space.Total))
		t(gauge, "registry_disk_free_bytes", "Free space of the file system with the images.", float64(space.Free))
		t(gauge, "registry_disk_files", "How many files fit into the file system with the images; 0 for any number.", float64(space.Files))
		t(gauge, "registry_disk_free_files", "How many more files fit into the file system with the images.", float64(space.FreeFiles))
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }
