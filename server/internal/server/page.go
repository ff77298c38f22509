package server

import (
	"github.com/distribution/distribution/v3/health"

	"container-registry/server/internal/access"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/page"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/store"
)

// newPage is what people see of this server in a browser.
func (s *Server) newPage(keeper *guard.Guard, controller *access.Controller) *page.Page {
	parts := page.Parts{
		Access:    controller,
		Driver:    keeper.Driver(),
		Referrers: referrers.NewLister(keeper.Driver()),
		Holdings:  s.holdings,
		Collector: s.collector,
		Failing:   health.CheckStatus,
		Log:       keeper.Log(),
	}
	if folder := store.Of(s.config).Folder(); folder != "" {
		parts.Disk = disk.In(folder)
	}
	return page.New(s.config, parts)
}
