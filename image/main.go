// Command registry is the bundled registry server.
package main

func main() {}
