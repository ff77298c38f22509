package server

import (
	"github.com/distribution/distribution/v3/health"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/access"
	"container-registry/server/internal/page"
	"container-registry/server/internal/referrers"
)

// newPage is what people see of this server in a browser.
func (s *Server) newPage(driver storagedriver.StorageDriver, controller *access.Controller) *page.Page {
	return page.New(s.config, page.Parts{
		Access:    controller,
		Driver:    driver,
		Referrers: referrers.NewLister(driver),
		Holdings:  s.holdings,
		Failing:   health.CheckStatus,
		Log:       s.log,
	})
}
