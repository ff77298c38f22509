package server

import (
	"github.com/distribution/distribution/v3/health"

	"container-registry/server/internal/access"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/page"
	"container-registry/server/internal/referrers"
)

// newPage is what people see of this server in a browser.
func (s *Server) newPage(keeper *guard.Guard, controller *access.Controller) *page.Page {
	return page.New(s.config, page.Parts{
		Access:    controller,
		Driver:    keeper.Driver(),
		Referrers: referrers.NewLister(keeper.Driver()),
		Holdings:  s.holdings,
		Collector: s.collector,
		Failing:   health.CheckStatus,
		Disk:      s.disk(),
		Log:       keeper.Log(),
	})
}
