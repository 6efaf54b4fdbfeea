//! How many rows a log speaks of: those that went on, and those that were not taken.

use super::super::markers::Role;
use super::super::rejected::{Kind, Rejected};
use super::super::told::{Reason, Told, Weight};
use super::line::Hit;
use super::members::member;
use crate::foreign::{Foreign, Mask};

/// How many rows of a kind are kept.
const MOST_ROWS: usize = 3;

/// How many members are kept.
const MOST_MEMBERS: usize = 20;

/// What has been counted.
#[derive(Default)]
pub(super) struct Rows {
    imported: Sum,
    exported: Sum,
    staged: Sum,
    /// What summary lines say was not taken by the import, or not let through by the validation.
    rejected: Sum,
    invalid: Sum,
    /// Each with the place of its marker in the table, by which they are sorted.
    kinds: Vec<(usize, Kind)>,
    members: Vec<Foreign>,
    has_more_members: bool,
    /// The first line that counts no row at all.
    nothing: Option<(Reason, Foreign)>,
}

/// Numbers that add up, those of one period each apart from those that say `Total`: both may be there for the same rows.
#[derive(Default)]
struct Sum {
    parts: Option<u64>,
    totals: Option<u64>,
}

impl Sum {
    fn add(&mut self, number: u64, is_total: bool) {
        let sum = if is_total { &mut self.totals } else { &mut self.parts };
        *sum = Some(sum.unwrap_or_default().saturating_add(number));
    }

    fn all(&self) -> Option<u64> {
        self.totals.or(self.parts)
    }
}

impl Rows {
    /// Takes the number behind a marker, where it is one of rows.
    pub(super) fn count(&mut self, hit: &Hit<'_>, line: u64, weight: Weight, shown: impl FnOnce() -> Foreign) {
        let Some(number) = hit.marker().role.is_number().then(|| hit.number()).flatten() else { return };
        let sum = match hit.marker().role {
            Role::Imported => &mut self.imported,
            Role::Exported => &mut self.exported,
            Role::Staged => &mut self.staged,
            Role::Rejected => &mut self.rejected,
            Role::Invalid => &mut self.invalid,
            _ => return,
        };
        sum.add(number, hit.window.before().ends_with(b"Total "));
        if number == 0 && self.nothing.is_none() {
            let reason = Reason { marker: hit.marker, line, weight, is_error: false };
            self.nothing = Some((reason, shown()));
        }
    }

    /// Takes the row that a line was not taken for: a line is one, whatever number of markers it holds.
    pub(super) fn reject(&mut self, hits: &[Hit<'_>], line: u64, mask: &Mask, shown: impl Fn(&Hit<'_>) -> Foreign) {
        let is_row = |hit: &&Hit<'_>| matches!(hit.marker().role, Role::Row(_));
        let Some(hit) = hits.iter().filter(is_row).min_by_key(|hit| hit.marker) else { return };
        let Role::Row(meaning) = hit.marker().role else { return };
        let marker = hit.marker().text.trim_end();
        let at = self.kinds.partition_point(|(place, _)| *place < hit.marker);
        if self.kinds.get(at).is_none_or(|(place, _)| *place != hit.marker) {
            self.kinds.insert(at, (hit.marker, Kind { marker, meaning, count: 0, first: Vec::new() }));
        }
        let (_, kind) = &mut self.kinds[at];
        kind.count += 1;
        if kind.first.len() < MOST_ROWS {
            kind.first.push((line, shown(hit)));
        }
        if !self.has_more_members {
            hits.iter().filter_map(member).for_each(|member| self.concern(&member, mask));
        }
    }

    fn concern(&mut self, member: &str, mask: &Mask) {
        // Most rows are refused for a member that was named before, as it is shown.
        if self.members.iter().any(|known| known.as_str() == member) {
            return;
        }
        let member = mask.foreign(member);
        if !self.members.contains(&member) {
            self.has_more_members = self.members.len() == MOST_MEMBERS;
            if !self.has_more_members {
                self.members.push(member);
            }
        }
    }

    /// How many rows were loaded: those that go to the target, or else those that were read.
    pub(super) fn loaded(&self) -> Option<u64> {
        [&self.exported, &self.imported, &self.staged].into_iter().find_map(Sum::all)
    }

    /// That there was nothing to load, where the counts say so.
    pub(super) fn tell(&self, told: &mut Told) {
        if let Some((reason, shown)) = self.nothing.clone().filter(|_| self.loaded() == Some(0)) {
            told.reason(reason, || shown);
        }
    }

    /// The rows that were not taken. Where summary lines speak of more than were seen, of so many: a condition must not pass
    /// for a log that shows only some of them.
    pub(super) fn rejected(self) -> Rejected {
        let summed = [&self.rejected, &self.invalid].into_iter().filter_map(Sum::all).fold(0, u64::saturating_add);
        let kinds: Vec<Kind> = self.kinds.into_iter().map(|(_, kind)| kind).collect();
        let seen = kinds.iter().map(|kind| kind.count).sum();
        Rejected { kinds, total: summed.max(seen), members: self.members, has_more_members: self.has_more_members }
    }
}
