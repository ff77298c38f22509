// Package notify tells other servers by HTTP what is pushed to a registry and deleted from it,
// in the format of the engine's own notifications.
//
// The engine keeps its notifications in memory alone, so they are lost when the server stops.
// Here an event is written to the store before its client gets the response, once for each
// endpoint, and deleted when the endpoint has taken it. When a server starts, it goes on with
// the events in the store; with several servers, each looks from time to time for events that
// another one left. So an endpoint gets an event at least once: it gets it again if a server is
// killed between the endpoint's answer and the deletion, or if two servers send it at the same
// moment. The event's ID stays the same.
package notify
