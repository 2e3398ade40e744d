//! Which facts of a P&L stream were delivered already, so that a new connection brings each of them once. No I/O.
//!
//! A message's sequence says that every fact up to it was sent; facts of the next sequence that has any may already have
//! come, because a long close or a correction is sent in several messages. After a lost connection they come again. A
//! closed trade is told by its place, (sequence, index), and all of them are in order, so the last place is enough.
//! Several lots may be opened under one sequence, and a trade that was restated to nothing names no sequence at all, but
//! ids are never used twice: those are remembered until their sequence is whole.

use std::collections::HashMap;

use crate::v1::{ClosedTrade, Entry, PnLUpdate, RestatedTrade};

const LAST_INDEX: i32 = i32::MAX; // after every index of a sequence

/// What was delivered: every fact up to a sequence, and some beyond it.
#[derive(Debug)]
pub(crate) struct Delivered {
    sequence: i64,
    last_trade: (i64, i32),
    beyond: HashMap<(String, String), i64>, // ids of a fact, and the sequence at which they may be forgotten
}

impl Delivered {
    /// Up to `sequence` nothing needs to be delivered.
    pub(crate) fn up_to(sequence: i64) -> Self {
        Self { sequence, last_trade: (sequence, LAST_INDEX), beyond: HashMap::new() }
    }

    /// Leaves in `update`, of a message of `sequence`, the facts that were not delivered; from now on they were.
    pub(crate) fn keep_fresh(&mut self, sequence: i64, update: &mut PnLUpdate) {
        let unnamed = sequence_of_unnamed(sequence, update);
        let last = self.last_trade;
        update.closed_trades.retain(|trade| place(trade) > last);
        self.last_trade = update.closed_trades.iter().map(place).fold(last, Ord::max);
        update.opened_entries.retain(|entry| self.is_fresh(entry.entry_id.clone(), String::new(), entry.sequence));
        update.restated_trades.retain(|trade| {
            let id = |side: &Option<ClosedTrade>| side.as_ref().map_or_else(String::new, |side| side.trade_id.clone());
            let named = after(trade);
            self.is_fresh(id(&trade.before), id(&trade.after), if named == 0 { unnamed } else { named })
        });
    }

    /// Every fact up to `sequence` was delivered.
    pub(crate) fn reach(&mut self, sequence: i64) {
        if sequence > self.sequence {
            self.sequence = sequence;
            self.last_trade = self.last_trade.max((sequence, LAST_INDEX));
            self.beyond.retain(|_, until| *until > sequence);
        }
    }

    fn is_fresh(&mut self, id: String, other: String, sequence: i64) -> bool {
        sequence > self.sequence && self.beyond.insert((id, other), sequence).is_none()
    }
}

fn place(trade: &ClosedTrade) -> (i64, i32) {
    (trade.sequence, trade.index)
}

fn after(trade: &RestatedTrade) -> i64 {
    trade.after.as_ref().map_or(0, |after| after.sequence)
}

/// Facts come in order, so one that names no sequence is of the highest named beside it at most; where that is not
/// beyond the message's own it may be of the next, which is whole when a message of a later sequence comes.
fn sequence_of_unnamed(sequence: i64, update: &PnLUpdate) -> i64 {
    let trades = update.closed_trades.iter().map(|trade| trade.sequence);
    let entries = update.opened_entries.iter().map(|entry: &Entry| entry.sequence);
    let restated = update.restated_trades.iter().map(after);
    let highest = trades.chain(entries).chain(restated).max().unwrap_or(0);
    if highest > sequence { highest } else { sequence + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(sequence: i64, index: i32) -> ClosedTrade {
        ClosedTrade { sequence, index, trade_id: format!("{sequence}-{index}"), ..Default::default() }
    }

    fn fresh(delivered: &mut Delivered, sequence: i64, mut update: PnLUpdate) -> (usize, usize, usize) {
        delivered.keep_fresh(sequence, &mut update);
        (update.closed_trades.len(), update.opened_entries.len(), update.restated_trades.len())
    }

    /// A long close that was cut in the middle goes on where it was cut.
    #[test]
    fn a_cut_close_goes_on() {
        let mut delivered = Delivered::up_to(4);
        let part = PnLUpdate { closed_trades: vec![trade(5, 0), trade(5, 1)], ..Default::default() };
        assert_eq!(fresh(&mut delivered, 4, part).0, 2);
        let again = PnLUpdate { closed_trades: (0..4).map(|index| trade(5, index)).collect(), ..Default::default() };
        assert_eq!(fresh(&mut delivered, 5, again).0, 2);
    }

    /// Nothing up to the sequence that was reached comes again.
    #[test]
    fn what_was_reached_is_old() {
        let mut delivered = Delivered::up_to(0);
        delivered.reach(7);
        let old = PnLUpdate {
            closed_trades: vec![trade(7, 3)],
            opened_entries: vec![Entry { sequence: 6, entry_id: "e".into(), ..Default::default() }],
            ..Default::default()
        };
        assert_eq!(fresh(&mut delivered, 7, old), (0, 0, 0));
    }

    /// Lots and restated trades beyond the sequence are told by their ids, and forgotten when it is reached.
    #[test]
    fn ids_are_remembered_until_whole() {
        let mut delivered = Delivered::up_to(4);
        let update = || PnLUpdate {
            opened_entries: vec![Entry { sequence: 5, entry_id: "e".into(), ..Default::default() }],
            restated_trades: vec![RestatedTrade { before: Some(trade(2, 0)), ..Default::default() }],
            ..Default::default()
        };
        assert_eq!(fresh(&mut delivered, 4, update()), (0, 1, 1));
        assert_eq!(fresh(&mut delivered, 4, update()), (0, 0, 0));
        delivered.reach(5);
        assert!(delivered.beyond.is_empty());
    }
}
