package dialect

import (
	"net/http"
	"net/url"

	"container-registry/server/internal/heldback"
)

// cancel ends an upload by whichever of its addresses the client has: after a request that was cut off it
// has only an older one. The engine refuses those, and tells the latest to who asks for it.
func (h *handler) cancel(w http.ResponseWriter, r *http.Request) {
	answer := heldback.New()
	h.engine.ServeHTTP(answer, r)
	if answer.Status == http.StatusRequestedRangeNotSatisfiable {
		if latest := h.latest(r); latest != "" {
			again := r.Clone(r.Context())
			query := again.URL.Query()
			query.Set(state, latest)
			again.URL.RawQuery = query.Encode()
			// The engine has read those of before.
			again.Form = nil
			h.engine.ServeHTTP(w, again)
			return
		}
	}
	answer.Send(w)
}

// latest is the state in an upload's latest address; empty where the engine does not tell.
func (h *handler) latest(r *http.Request) string {
	question := r.Clone(r.Context())
	question.Method = http.MethodGet
	answer := heldback.New()
	h.engine.ServeHTTP(answer, question)
	location, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || answer.Status != http.StatusNoContent {
		return ""
	}
	return location.Query().Get(state)
}
