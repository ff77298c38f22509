package server

import (
	"github.com/distribution/distribution/v3/health"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/access"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/page"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/store"
)

// newPage is what people see of this server in a browser.
func (s *Server) newPage(driver storagedriver.StorageDriver, controller *access.Controller) *page.Page {
	parts := page.Parts{
		Access:    controller,
		Driver:    driver,
		Referrers: referrers.NewLister(driver),
		Holdings:  s.holdings,
		Collector: s.collector,
		Failing:   health.CheckStatus,
		Log:       s.log,
	}
	if folder := store.Of(s.config).Folder(); folder != "" {
		parts.Disk = disk.In(folder)
	}
	return page.New(s.config, parts)
}
