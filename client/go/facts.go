package lotkeeper

import (
	"cmp"
	"math"
	"slices"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
)

// place of a closed trade among all of them.
type place struct {
	sequence int64
	index    int32
}

func (here place) after(there place) bool {
	return cmp.Or(cmp.Compare(here.sequence, there.sequence), cmp.Compare(here.index, there.index)) > 0
}

// factID names an opened entry by its id, a restated trade by those before and after.
type factID [2]string

// delivered is which facts of a P&L stream were delivered already, so that a new connection brings each of them once.
//
// A message's sequence says that every fact up to it was sent; facts of the next sequence that has any may already have
// come, because a long close or a correction is sent in several messages. After a lost connection they come again. A
// closed trade is told by its place, and all of them are in order, so the last place is enough. Several lots may be opened
// under one sequence, and a trade that was restated to nothing names no sequence at all, but ids are never used twice:
// those are remembered until their sequence is whole.
type delivered struct {
	sequence  int64
	lastTrade place
	beyond    map[factID]int64 // ids of a fact, and the sequence at which they may be forgotten
}

func newDelivered(sequence int64) *delivered {
	return &delivered{sequence: sequence, lastTrade: place{sequence, math.MaxInt32}, beyond: map[factID]int64{}}
}

// fresh are the facts of update, in a message of sequence, that were not delivered; from now on they were.
func (done *delivered) fresh(sequence int64, update *pb.PnLUpdate) ([]*pb.ClosedTrade, []*pb.Entry, []*pb.RestatedTrade) {
	unnamed := sequenceOfUnnamed(sequence, update)
	var trades []*pb.ClosedTrade
	last := done.lastTrade
	for _, trade := range update.GetClosedTrades() {
		here := place{trade.GetSequence(), trade.GetIndex()}
		if !here.after(done.lastTrade) {
			continue
		}
		trades = append(trades, trade)
		if here.after(last) {
			last = here
		}
	}
	done.lastTrade = last
	var entries []*pb.Entry
	for _, entry := range update.GetOpenedEntries() {
		if done.isFresh(factID{entry.GetEntryId()}, entry.GetSequence()) {
			entries = append(entries, entry)
		}
	}
	var restated []*pb.RestatedTrade
	for _, trade := range update.GetRestatedTrades() {
		until := cmp.Or(trade.GetAfter().GetSequence(), unnamed)
		if done.isFresh(factID{trade.GetBefore().GetTradeId(), trade.GetAfter().GetTradeId()}, until) {
			restated = append(restated, trade)
		}
	}
	return trades, entries, restated
}

// reach says that every fact up to sequence was delivered.
func (done *delivered) reach(sequence int64) {
	if sequence <= done.sequence {
		return
	}
	done.sequence = sequence
	if whole := (place{sequence, math.MaxInt32}); whole.after(done.lastTrade) {
		done.lastTrade = whole
	}
	for id, until := range done.beyond {
		if until <= sequence {
			delete(done.beyond, id)
		}
	}
}

func (done *delivered) isFresh(id factID, sequence int64) bool {
	_, known := done.beyond[id]
	if known || sequence <= done.sequence {
		return false
	}
	done.beyond[id] = sequence
	return true
}

// Facts come in order, so one that names no sequence is of the highest named beside it at most; where that is not beyond
// the message's own it may be of the next, which is whole when a message of a later sequence comes.
func sequenceOfUnnamed(sequence int64, update *pb.PnLUpdate) int64 {
	named := []int64{0}
	for _, trade := range update.GetClosedTrades() {
		named = append(named, trade.GetSequence())
	}
	for _, entry := range update.GetOpenedEntries() {
		named = append(named, entry.GetSequence())
	}
	for _, trade := range update.GetRestatedTrades() {
		named = append(named, trade.GetAfter().GetSequence())
	}
	if highest := slices.Max(named); highest > sequence {
		return highest
	}
	return sequence + 1
}
