// Package azure wraps the engine's Azure driver and corrects answers that it misunderstands. The driver takes
// a page of something in front of Azure for an answer of Azure, a container that is gone for a file that is gone, and
// a copy that failed for one that is done. If an attempt succeeded but its answer was lost, the driver takes the answer
// to the next attempt for a failure.
package azure
