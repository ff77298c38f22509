package server

import (
	"context"
	"net/http"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/access"
	"container-registry/server/internal/audit"
	"container-registry/server/internal/config"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/notify"
	"container-registry/server/internal/store"
	"container-registry/server/internal/writes"
)

// openAudit begins the record of who does what; it is nil where none is wanted.
func (s *Server) openAudit(own config.Server, controller *access.Controller) (*audit.Log, error) {
	if own.Audit.Folder == "" {
		return nil, nil
	}
	record, err := audit.Open(own.Audit.Folder, s.log)
	if err == nil && controller != nil {
		controller.OnRefusal(record.Refused)
	}
	return record, err
}

// reported goes around the engine, and tells all who want to know what clients do there:
// observers, and those of the configuration, who learn of what collections delete as well.
func (s *Server) reported(engine http.Handler, own config.Server, keeper *guard.Guard, controller *access.Controller, observers []writes.Observer) (http.Handler, error) {
	record, err := s.openAudit(own, controller)
	if err != nil {
		return nil, err
	}
	// Who only counts, or shows, does not ask what a tag named before.
	var past storagedriver.StorageDriver
	if record != nil {
		s.audit, past = record, keeper.Driver()
		observers = append(observers, record.Observe)
		s.collector.Tell(record.Observe)
		if own.Audit.Reads {
			engine = record.Reads(engine, s.config.HTTP.Prefix)
		}
	}
	if len(own.Notifications) > 0 {
		s.notifier = notify.New(own.Notifications, keeper.Driver(), s.config.HTTP, keeper.Log())
		past = keeper.Driver()
		observers = append(observers, s.notifier.Observe)
		s.collector.Tell(s.notifier.Observe)
	}
	return writes.Handler(engine, past, s.config.HTTP.Prefix, observers...), nil
}

// notify sends what clients did until ctx ends. A store that is read-only is left as it is: what
// waits there could be sent, but not be deleted afterwards.
func (s *Server) notify(ctx context.Context) {
	if s.notifier != nil && !store.Of(s.config).ReadOnly() {
		s.notifier.Run(ctx)
	}
}
