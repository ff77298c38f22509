package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"container-registry/server/internal/audit"
	"container-registry/server/internal/notify"
)

func tellAudit(t tell, l *audit.Log) {
	written, lost := l.Counts()
	t(prometheus.CounterValue, "registry_audit_records_total", "Records of the audit that were written.", float64(written))
	t(prometheus.CounterValue, "registry_audit_lost_records_total", "Records of the audit that could not be written.", float64(lost))
}

// tellNotifications uses names from the configuration in its labels, and none that a client chooses.
func tellNotifications(t tell, s *notify.Sender) {
	for _, each := range s.Counts() {
		t(prometheus.GaugeValue, "registry_notifications_waiting_envelopes", "Envelopes of events that wait for an endpoint.", float64(each.Waiting), "endpoint", each.Endpoint)
		for result, count := range each.Sent {
			t(prometheus.CounterValue, "registry_notifications_deliveries_total", "Envelopes of events that were sent to an endpoint, by what came of it.", float64(count), "endpoint", each.Endpoint, "result", result)
		}
		for reason, count := range each.Dropped {
			t(prometheus.CounterValue, "registry_notifications_dropped_total", "Envelopes of events that an endpoint will not get.", float64(count), "endpoint", each.Endpoint, "reason", reason)
		}
	}
}
