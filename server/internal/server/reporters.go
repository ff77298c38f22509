package server

import (
	"context"
	"net/http"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/access"
	"container-registry/server/internal/audit"
	"container-registry/server/internal/config"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/notify"
	"container-registry/server/internal/store"
	"container-registry/server/internal/writes"
)

// openAudit opens the record of who does what. It returns nil if none is configured.
func openAudit(own config.Server, controller *access.Controller, log *logrus.Entry) (*audit.Log, error) {
	if own.Audit.Folder == "" {
		return nil, nil
	}
	record, err := audit.Open(own.Audit.Folder, log)
	if err == nil && controller != nil {
		controller.OnRefusal(record.Refused)
	}
	return record, err
}

// reported wraps the engine, and tells what clients do there to observers, and to the audit log and endpoints
// of the configuration. These also learn what collections delete.
func (s *Server) reported(engine http.Handler, own config.Server, storeGuard *guard.Guard, observers []writes.Observer) http.Handler {
	var told []writes.Observer
	if s.audit != nil {
		told = append(told, s.audit.Observe)
		if own.Audit.Reads {
			engine = s.audit.Reads(engine, s.config.HTTP.Prefix)
		}
	}
	// This is needed without endpoints, too: it forgets earlier ones.
	s.notifier = notify.New(own.Notifications, storeGuard.Driver(), s.config.HTTP, storeGuard.Log())
	if len(own.Notifications) > 0 {
		told = append(told, s.notifier.Observe)
	}
	if len(told) == 0 {
		// Observers that only count or show do not ask what a tag named before.
		return writes.Handler(engine, nil, s.config.HTTP.Prefix, observers...)
	}
	s.collector.Tell(s.notifier.HoldBack, told...)
	return writes.Handler(engine, s.notifier.HoldBack, s.config.HTTP.Prefix, append(observers, told...)...)
}

// notify sends what clients did until ctx ends. It leaves a read-only store alone: what waits there could be
// sent, but not deleted afterwards.
func (s *Server) notify(ctx context.Context) {
	if s.notifier != nil && !store.Of(s.config).ReadOnly() {
		s.notifier.Run(ctx)
	}
}
