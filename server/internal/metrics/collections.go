package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"container-registry/server/internal/garbage"
)

func tellCollections(t tell, c *garbage.Collector) {
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	totals := c.Totals()
	const runs = "Garbage collections of this server, and how they ended."
	t(counter, "registry_collections_total", runs, float64(totals.Succeeded), "result", "succeeded")
	t(counter, "registry_collections_total", runs, float64(totals.Failed), "result", "failed")
	const deleted = "What garbage collections of this server deleted."
	t(counter, "registry_collection_deleted_total", deleted, float64(totals.Tags), "kind", "tag")
	t(counter, "registry_collection_deleted_total", deleted, float64(totals.Manifests), "kind", "manifest")
	t(counter, "registry_collection_deleted_total", deleted, float64(totals.Blobs), "kind", "blob")
	t(counter, "registry_collection_freed_bytes_total", "Size of the blobs, and of the uploads that were cut off, that garbage collections of this server deleted.", float64(totals.Bytes))
	t(gauge, "registry_collection_running", "Whether this server collects garbage now.", number(totals.UnderWay))
	if !totals.LastSuccess.IsZero() {
		t(gauge, "registry_collection_last_success_timestamp_seconds", "When the last garbage collection of the store that succeeded ended.", seconds(totals.LastSuccess))
	}
	if !totals.LastFailure.IsZero() {
		t(gauge, "registry_collection_last_failure_timestamp_seconds", "When the last garbage collection of the store that failed ended.", seconds(totals.LastFailure))
	}
	if due := c.Due(); !due.IsZero() {
		t(gauge, "registry_collection_due_timestamp_seconds", "When garbage was to be collected last, by the schedule.", seconds(due))
	}
	if next := c.Next(); len(next) == 2 {
		t(gauge, "registry_collection_next_timestamp_seconds", "When garbage is collected next, by the schedule.", seconds(next[0]))
		t(gauge, "registry_collection_interval_seconds", "How long it is from the next garbage collection to the one after it.", next[1].Sub(next[0]).Seconds())
	}
	// A collection that failed at once has no report.
	if all := c.Runs(); len(all) > 0 && all[0].Report != nil {
		last := all[0].Report
		t(gauge, "registry_collection_last_duration_seconds", "How long the last garbage collection of the store took.", last.Took.Seconds())
		t(gauge, "registry_collection_last_pause_seconds", "The longest pause of writers in the last garbage collection of the store.", last.LongestPause.Seconds())
		t(gauge, "registry_retention_would_delete_tags", "Tags that the last garbage collection of the store would have deleted, were retention no dry run.", float64(last.Wishes))
	}
}
