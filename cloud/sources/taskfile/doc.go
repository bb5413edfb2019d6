// Package taskfile writes what has an operating system run an import by itself:
// a task for the Task Scheduler of Windows, or a service and a timer for systemd.
// All of them run the same command at the same intervals.
package taskfile
