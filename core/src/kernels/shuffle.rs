//! Shuffling the channels of images that lie channels-last: groups of channels dealt out like cards, one from each group in turn.

use rayon::prelude::*;

/// Elements from which on work is shared.
const PARALLEL_ELEMENTS: usize = 1 << 15;

/// Channel `k` of group `g` becomes channel `k · groups + g`, at each place.
///
/// # Panics
/// If the elements are not whole places, or the channels not whole groups.
pub fn shuffle_channels(elements: &[f32], channels: usize, groups: usize) -> Vec<f32> {
    assert!(channels > 0 && groups > 0 && elements.len().is_multiple_of(channels) && channels.is_multiple_of(groups), "whole places and groups");
    let mut shuffled = vec![0.0; elements.len()];
    let rows_at_a_time = (PARALLEL_ELEMENTS / channels).max(1) * channels;
    let shuffle = match groups {
        2 => shuffle_places::<2>,
        3 => shuffle_places::<3>,
        4 => shuffle_places::<4>,
        8 => shuffle_places::<8>,
        _ => shuffle_any,
    };
    shuffled
        .par_chunks_mut(rows_at_a_time)
        .zip(elements.par_chunks(rows_at_a_time))
        .for_each(|(to, from)| to.chunks_exact_mut(channels).zip(from.chunks_exact(channels)).for_each(|(to, from)| shuffle(to, from, groups)));
    shuffled
}

/// A place with a number of groups that the compiler knows.
fn shuffle_places<const GROUPS: usize>(to: &mut [f32], from: &[f32], _groups: usize) {
    let of_group = from.len() / GROUPS;
    let groups: [&[f32]; GROUPS] = std::array::from_fn(|group| &from[group * of_group..][..of_group]);
    for (channel, to) in to.as_chunks_mut::<GROUPS>().0.iter_mut().enumerate() {
        *to = groups.map(|group| group[channel]);
    }
}

fn shuffle_any(to: &mut [f32], from: &[f32], groups: usize) {
    let of_group = from.len() / groups;
    for (channel, to) in to.chunks_exact_mut(groups).enumerate() {
        for (group, to) in to.iter_mut().enumerate() {
            *to = from[group * of_group + channel];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_channel_of_each_group_comes_after_the_other() {
        assert_eq!(shuffle_channels(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.0], 6, 2), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
        for groups in [1, 2, 3, 4, 5, 8] {
            let (channels, places) = (groups * 7, 3000);
            let elements: Vec<f32> = (0..places * channels).map(|at| at as f32).collect();
            let shuffled = shuffle_channels(&elements, channels, groups);
            for (at, &found) in shuffled.iter().enumerate() {
                let (place, channel) = (at / channels, at % channels);
                assert_eq!(found, elements[place * channels + channel % groups * 7 + channel / groups], "{groups} groups at {at}");
            }
        }
    }
}
