package metrics

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"container-registry/server/internal/holdings"
)

// mostRepositories have series of their own: the largest ones.
const mostRepositories = 500

// tellHoldings is silent until everything has been counted once: half a store must not look like a smaller store.
func tellHoldings(t tell, h *holdings.Holdings) {
	at, counted := h.At()
	if !counted {
		return
	}
	gauge := prometheus.GaugeValue
	total := h.Total()
	t(gauge, "registry_repositories", "Repositories in the store.", float64(total.Repositories))
	t(gauge, "registry_tags", "Tags in the store.", float64(total.Tags))
	t(gauge, "registry_manifests", "Manifests in the store.", float64(total.Manifests))
	t(gauge, "registry_blobs", "Blobs in the store, those of manifests among them.", float64(total.Blobs))
	t(gauge, "registry_blob_bytes", "Size of all blobs in the store, each counted once.", float64(total.Bytes))
	t(gauge, "registry_counted_timestamp_seconds", "When all in the store was counted last.", seconds(at))
	for _, r := range largest(h.Repositories()) {
		t(gauge, "registry_repository_bytes", "Size of all blobs of a repository, those it shares among them. Only the 500 largest repositories are told.", float64(r.Bytes), "repository", r.Name)
		t(gauge, "registry_repository_tags", "Tags of a repository. Only the 500 largest repositories are told.", float64(r.Tags), "repository", r.Name)
		if !r.LastPush.IsZero() {
			t(gauge, "registry_repository_last_push_timestamp_seconds", "When a repository was pushed to last. Only the 500 largest repositories are told.", seconds(r.LastPush), "repository", r.Name)
		}
	}
}

func largest(all []holdings.Repository) []holdings.Repository {
	if len(all) <= mostRepositories {
		return all
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b holdings.Repository) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	return sorted[:mostRepositories]
}
