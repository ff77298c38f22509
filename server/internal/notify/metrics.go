package notify

import "github.com/docker/go-metrics"

// The engine's own have the same prefix, and other names.
var (
	namespace = metrics.NewNamespace("registry", "notifications", nil)
	sent      = namespace.NewLabeledCounter("deliveries", "Envelopes of events that were sent to an endpoint, by what came of it", "endpoint", "result")
	dropped   = namespace.NewLabeledCounter("dropped", "Envelopes of events that an endpoint will not get", "endpoint", "reason")
	waiting   = namespace.NewLabeledGauge("waiting", "Envelopes of events that wait for an endpoint", "envelopes", "endpoint")
)

func init() { metrics.Register(namespace) }

// What may come of sending, and why an envelope is dropped.
const (
	taken   = "taken"
	failed  = "failed"
	refused = "refused"
	old     = "old"
	tooMany = "too-many"
	unkept  = "not-kept"
)
