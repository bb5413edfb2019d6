package uhppote

import (
	"context"
	"errors"
	"fmt"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote/packet"
)

const (
	// walks is how often a table that changes while it is read is read again.
	walks = 3
	// maxSlots bounds a walk over a controller that never says no.
	maxSlots = 1 << 20
)

// errMoved: the table changed while it was walked over.
var errMoved = errors.New("the table changes while it is read")

// List walks over the controller's table. It takes one request for each card
// and each slot of a deleted one.
func (s *session) List(ctx context.Context) ([]driver.Row, error) {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("list cards: %w", err)
	}
	defer end()
	for range walks {
		rows, err := s.walk(ctx)
		if err == nil {
			return rows, nil
		}
		if !errors.Is(err, errMoved) {
			return nil, fmt.Errorf("list cards: %w", err)
		}
		s.logger.Debug("card table changed while being read", "reader", s.name, "reason", err)
	}
	return nil, fmt.Errorf("list cards: %w: %w", driver.ErrIncomplete, errMoved)
}

// walk reads slots from the first on until as many cards are found as the
// controller counts: a controller need not answer for a slot beyond its last.
func (s *session) walk(ctx context.Context) ([]driver.Row, error) {
	count, err := s.line.number(ctx, packet.OpCountCards)
	if err != nil {
		return nil, err
	}
	if count > maxSlots {
		return nil, fmt.Errorf("%w: the controller counts %d cards, more than any holds", driver.ErrIncomplete, count)
	}
	rows := make([]driver.Row, 0, count)
	seen := make(map[uint32]struct{}, count)
	for slot := uint32(1); uint32(len(rows)) < count; slot++ {
		if slot > maxSlots {
			return nil, fmt.Errorf("%w: %d slots and no end", driver.ErrIncomplete, maxSlots)
		}
		c, err := s.cardAt(ctx, slot)
		switch {
		case err != nil:
			return nil, err
		case c.Number == packet.DeletedCard:
			continue
		case c.Number == packet.NoCard:
			return nil, fmt.Errorf("%w: %d cards counted, %d found", errMoved, count, len(rows))
		}
		if _, twice := seen[c.Number]; twice {
			return nil, fmt.Errorf("%w: a card comes twice", errMoved)
		}
		seen[c.Number] = struct{}{}
		rows = append(rows, s.row(c))
	}
	again, err := s.line.number(ctx, packet.OpCountCards)
	if err != nil {
		return nil, err
	}
	if again != count {
		return nil, fmt.Errorf("%w: %d cards before, %d after", errMoved, count, again)
	}
	return rows, nil
}

func (s *session) cardAt(ctx context.Context, slot uint32) (packet.Card, error) {
	return s.show(ctx, s.line.request(packet.OpCardAt).WithUint32(slot), nil)
}

// find asks for one card; its number is NoCard if the controller has none.
func (s *session) find(ctx context.Context, number uint32) (packet.Card, error) {
	return s.show(ctx, s.line.request(packet.OpGetCard).WithUint32(number), func(p packet.Packet) error {
		if n := p.Uint32(); n != number && n != packet.NoCard {
			return fmt.Errorf("%w: another card than asked for", packet.ErrMalformed)
		}
		return nil
	})
}

// show asks for a card. Dates that are none are asked for again, in case the
// line garbled them, and then count as no dates.
func (s *session) show(ctx context.Context, req packet.Packet, check func(packet.Packet) error) (packet.Card, error) {
	var card packet.Card
	asked := 0
	_, err := s.line.ask(ctx, req, func(p packet.Packet) error {
		if check != nil {
			if err := check(p); err != nil {
				return err
			}
		}
		asked++
		var err error
		if card, err = p.Card(); err != nil && asked >= 2 {
			card.From, card.To = 0, 0
			return nil
		}
		return err
	})
	return card, err
}

// Get asks for the cards of the given rows one by one.
func (s *session) Get(ctx context.Context, keys []string) ([]driver.Row, error) {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("get cards: %w", err)
	}
	defer end()
	var rows []driver.Row
	for _, k := range keys {
		number, err := s.numberOf(k)
		if err != nil {
			continue // the controller cannot hold it, so it does not
		}
		c, err := s.find(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("get card: %w", err)
		}
		if c.Number != packet.NoCard {
			rows = append(rows, s.row(c))
		}
	}
	return rows, nil
}

func (s *session) numberOf(key string) (uint32, error) {
	c, err := keyed(key)
	if err != nil {
		return 0, err
	}
	return s.numbers.shown(c)
}

// Put writes cards one by one.
func (s *session) Put(ctx context.Context, rows []driver.Row) (driver.Results, error) {
	return s.each(ctx, "put card", len(rows), func(ctx context.Context, i int) (refused, err error) {
		card, err := s.card(rows[i])
		if err != nil {
			return fmt.Errorf("%w: %w", driver.ErrRefused, err), nil
		}
		ok, err := s.line.yes(ctx, s.line.request(packet.OpPutCard).WithCard(card))
		if err == nil && !ok {
			refused = fmt.Errorf("%w: %v; it may be full, or take no such number", driver.ErrRefused, card)
		}
		return refused, err
	})
}

// Delete removes cards one by one.
func (s *session) Delete(ctx context.Context, keys []string) (driver.Results, error) {
	return s.each(ctx, "delete card", len(keys), func(ctx context.Context, i int) (refused, err error) {
		number, err := s.numberOf(keys[i])
		if err != nil {
			return nil, nil // the controller cannot hold it, so it does not
		}
		ok, err := s.line.yes(ctx, s.line.request(packet.OpDeleteCard).WithUint32(number))
		if err != nil || ok {
			return nil, err
		}
		// No is also the answer for a card that is not there, such as one that
		// the attempt before this one deleted.
		c, err := s.find(ctx, number)
		if err == nil && c.Number != packet.NoCard {
			refused = fmt.Errorf("%w: the card is still there", driver.ErrRefused)
		}
		return refused, err
	})
}

// each does one thing to each of n rows.
func (s *session) each(ctx context.Context, what string, n int, do func(context.Context, int) (refused, err error)) (driver.Results, error) {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer end()
	res := make(driver.Results, n)
	for i := range n {
		refused, err := do(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if refused != nil {
			res[i] = fmt.Errorf("%s: %w", what, refused)
		}
	}
	return res, nil
}
