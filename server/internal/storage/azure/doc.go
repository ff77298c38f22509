// Package azure goes around the engine's Azure driver, for answers that it takes wrongly: a page of
// something before Azure for one, a container that is gone for a file that is, a copy that failed for one
// that is done, and for a failure the answer to what an attempt before did, whose own answer was lost.
package azure
