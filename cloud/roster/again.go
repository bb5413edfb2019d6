package roster

import "doorsync/protocol"

// again recognizes entries that a site sends again under another epoch, after
// its journal was restored from a copy: nothing is renumbered then, so only
// numbers that some other epoch of the site has reached can be known. It is read
// from the log when that happens, and the writer's alone.
type again struct {
	site, epoch string
	upTo        uint64 // by all other epochs
	ids         map[protocol.EntryID]bool
}

// of returns the entries that may come again in an epoch, nil when none can.
func (a *again) of(w *work, ep *EpochRow) (map[protocol.EntryID]bool, error) {
	var upTo uint64
	for epoch, row := range w.r.state.epochs[ep.Site] {
		if epoch != ep.Epoch {
			if now, ok := w.epochs[siteID{ep.Site, epoch}]; ok {
				row = now
			}
			upTo = max(upTo, row.Taken)
		}
	}
	if upTo <= ep.Taken {
		return nil, nil
	}
	if a.site == ep.Site && a.epoch == ep.Epoch && a.upTo == upTo {
		return a.ids, nil
	}
	next := again{site: ep.Site, epoch: ep.Epoch, upTo: upTo, ids: map[protocol.EntryID]bool{}}
	if err := w.tx.Known(ep.Site, ep.Taken+1, func(id protocol.EntryID) { next.ids[id] = true }); err != nil {
		return nil, err
	}
	*a = next
	return a.ids, nil
}
