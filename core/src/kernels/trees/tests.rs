use proptest::prelude::*;
use proptest::test_runner::TestRng;

use super::*;

/// What a row collects, by the definition: one node after the other, with the comparison as it is written.
fn walk_naively<T: Real>(ensemble: &Ensemble<T>, combine: Combine, row: &[T]) -> (Vec<T>, Vec<bool>) {
    let mut scores = vec![T::ZERO; ensemble.n_targets];
    let mut has_score = vec![false; ensemble.n_targets];
    for &root in &ensemble.roots {
        let mut node = root;
        let weights = loop {
            match &ensemble.nodes[node as usize] {
                Node::Leaf { weights } => break weights.clone(),
                &Node::Member { feature, ref members, missing_is_true, when_true, when_false } => {
                    let value = row[feature as usize];
                    let holds = ensemble.members[members.start as usize..members.end as usize].contains(&value);
                    node = if holds || value.is_nan() && missing_is_true { when_true } else { when_false };
                }
                &Node::Branch { feature, threshold, comparison, missing_is_true, when_true, when_false } => {
                    let value = row[feature as usize];
                    let holds = match comparison {
                        Comparison::LessOrEqual => value <= threshold,
                        Comparison::Less => value < threshold,
                        Comparison::GreaterOrEqual => value >= threshold,
                        Comparison::Greater => value > threshold,
                        Comparison::Equal => value == threshold,
                        Comparison::NotEqual => value != threshold,
                    };
                    node = if holds || value.is_nan() && missing_is_true { when_true } else { when_false };
                }
            }
        };
        for weight in &ensemble.weights[weights.start as usize..weights.end as usize] {
            let target = weight.target as usize;
            scores[target] = match combine {
                Combine::Sum => scores[target] + weight.value,
                Combine::Min if !has_score[target] || weight.value < scores[target] => weight.value,
                Combine::Max if !has_score[target] || weight.value > scores[target] => weight.value,
                Combine::Min | Combine::Max => scores[target],
            };
            has_score[target] = true;
        }
    }
    (scores, has_score)
}

/// Values at which comparisons change their mind, and some between.
const VALUES: [f32; 14] =
    [0.0, -0.0, 1.0, -1.0, 0.5, 0.500_000_06, 0.499_999_97, 2.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX, -1e-45];

const COMPARISONS: [Comparison; 6] =
    [Comparison::LessOrEqual, Comparison::Less, Comparison::GreaterOrEqual, Comparison::Greater, Comparison::Equal, Comparison::NotEqual];

#[derive(Debug, Clone, Copy)]
struct Size {
    n_trees: usize,
    max_depth: usize,
    n_features: usize,
    n_targets: usize,
    n_rows: usize,
    /// How many of [`COMPARISONS`] are used; one more for sets.
    n_comparisons: usize,
    /// Out of 10 nodes above the greatest depth, how many are leaves.
    leaves_of_ten: usize,
    /// Weights of a leaf; `None` for 0 to 2.
    n_weights: Option<usize>,
    missing_is_true: bool,
}

fn below(rng: &mut TestRng, limit: usize) -> usize {
    rng.next_u64() as usize % limit
}

fn grow(rng: &mut TestRng, size: Size, depth: usize, ensemble: &mut Ensemble<f32>) -> u32 {
    let node = ensemble.nodes.len() as u32;
    if depth == size.max_depth || below(rng, 10) < size.leaves_of_ten {
        let first = ensemble.weights.len() as u32;
        for _ in 0..size.n_weights.unwrap_or_else(|| below(rng, 3)) {
            ensemble.weights.push(Weight { target: below(rng, size.n_targets) as u32, value: below(rng, 2000) as f32 / 1000.0 - 1.0 });
        }
        ensemble.nodes.push(Node::Leaf { weights: first..ensemble.weights.len() as u32 });
        return node;
    }
    ensemble.nodes.push(Node::Leaf { weights: 0..0 });
    let when_true = grow(rng, size, depth + 1, ensemble);
    // Now and then both ways lead to the same node.
    let when_false = if below(rng, 20) == 0 { when_true } else { grow(rng, size, depth + 1, ensemble) };
    let feature = below(rng, size.n_features) as u32;
    let missing_is_true = size.missing_is_true && below(rng, 2) == 0;
    ensemble.nodes[node as usize] = match COMPARISONS.get(below(rng, size.n_comparisons)) {
        Some(&comparison) => {
            let threshold = VALUES[below(rng, VALUES.len())];
            Node::Branch { feature, threshold, comparison, missing_is_true, when_true, when_false }
        }
        None => {
            let first = ensemble.members.len() as u32;
            ensemble.members.extend((0..below(rng, 6)).map(|_| VALUES[below(rng, VALUES.len())]));
            Node::Member { feature, members: first..ensemble.members.len() as u32, missing_is_true, when_true, when_false }
        }
    };
    node
}

fn random_ensemble(rng: &mut TestRng, size: Size) -> Ensemble<f32> {
    let mut ensemble = Ensemble { nodes: Vec::new(), roots: Vec::new(), weights: Vec::new(), members: Vec::new(), n_targets: size.n_targets };
    for _ in 0..size.n_trees {
        let root = grow(rng, size, 0, &mut ensemble);
        ensemble.roots.push(root);
    }
    ensemble
}

fn sizes() -> impl Strategy<Value = Size> {
    let trees = (1..40_usize, prop_oneof![Just(0_usize), 1..7_usize, 7..16_usize], 1..8_usize, 0..8_usize);
    let leaves = (1..4_usize, prop_oneof![Just(None), Just(Some(1))], any::<bool>());
    let rows = (1..30_usize, prop_oneof![1..12_usize, 100..300_usize]);
    (trees, leaves, rows).prop_map(
        |((n_trees, max_depth, n_comparisons, leaves_of_ten), (n_targets, n_weights, missing_is_true), (n_features, n_rows))| {
            // Deep trees must be thin, or they do not end.
            let leaves_of_ten = if max_depth > 9 { leaves_of_ten.max(5) } else { leaves_of_ten };
            Size { n_trees, max_depth, n_features, n_targets, n_rows, n_comparisons, leaves_of_ten, n_weights, missing_is_true }
        },
    )
}

fn check<T: Real>(ensemble: &Ensemble<T>, rows: &[T], size: Size) -> Result<(), TestCaseError> {
    let mut forest = Forest::new(ensemble).unwrap();
    for level in Level::available() {
        forest.level = level;
        check_forest(&forest, ensemble, rows, size)?;
    }
    Ok(())
}

fn check_forest<T: Real>(forest: &Forest<T>, ensemble: &Ensemble<T>, rows: &[T], size: Size) -> Result<(), TestCaseError> {
    prop_assert!(forest.n_features() <= size.n_features);
    let matrix = Rows::new(rows, size.n_rows, size.n_features).unwrap();
    for combine in [Combine::Sum, Combine::Min, Combine::Max] {
        let (outputs, labels) = forest.evaluate(matrix, combine, size.n_targets, |row, outputs| {
            for (output, score) in outputs.iter_mut().zip(row.scores.iter()) {
                *output = score.to_f32();
            }
            row.has_score.iter().enumerate().map(|(target, &has_score)| usize::from(has_score) << target).sum::<usize>()
        });
        for (index, row) in rows.chunks(size.n_features).enumerate() {
            let (scores, has_score) = walk_naively(ensemble, combine, row);
            let expected: Vec<u32> = scores.iter().map(|score| score.to_f32().to_bits()).collect();
            let found: Vec<u32> = outputs[index * size.n_targets..][..size.n_targets].iter().map(|score| score.to_bits()).collect();
            prop_assert_eq!(found, expected, "row {} {:?}, {:?}", index, row, combine);
            let found: Vec<bool> = (0..size.n_targets).map(|target| labels[index] >> target & 1 == 1).collect();
            prop_assert_eq!(found, has_score);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn walks_end_where_the_definition_says(size in sizes(), mut rng in any::<u64>().prop_perturb(|_, rng| rng)) {
        let ensemble = random_ensemble(&mut rng, size);
        let rows: Vec<f32> = (0..size.n_rows * size.n_features).map(|_| VALUES[below(&mut rng, VALUES.len())]).collect();
        check(&ensemble, &rows, size)?;
        // float64 rows have values between float32 thresholds.
        let wide_rows: Vec<f64> = rows.iter().map(|&value| f64::from(value) + if below(&mut rng, 4) == 0 { 1e-12 } else { 0.0 }).collect();
        check(&ensemble.widen(), &wide_rows, size)?;
    }
}

#[test]
fn threads_do_not_change_the_result() {
    let size = Size {
        n_trees: 60,
        max_depth: 6,
        n_features: 10,
        n_targets: 1,
        n_rows: 2000,
        n_comparisons: 1,
        leaves_of_ten: 1,
        n_weights: Some(1),
        missing_is_true: false,
    };
    let mut rng = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let forest = Forest::new(&random_ensemble(&mut rng, size)).unwrap();
    let rows: Vec<f32> = (0..size.n_rows * size.n_features).map(|_| below(&mut rng, 1000) as f32 / 500.0 - 1.0).collect();
    let run = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let rows = Rows::new(&rows, size.n_rows, size.n_features).unwrap();
        pool.install(|| forest.evaluate(rows, Combine::Sum, 1, |row, outputs| outputs[0] = row.scores[0])).0
    };
    assert_eq!(run(1), run(3));
}

fn branch(when_true: u32, when_false: u32) -> Node<f32> {
    Node::Branch { feature: 0, threshold: 0.0, comparison: Comparison::LessOrEqual, missing_is_true: false, when_true, when_false }
}

#[test]
fn loops_are_refused() {
    let leaf = Node::Leaf { weights: 0..0 };
    let itself = Ensemble { nodes: vec![branch(0, 1), leaf.clone()], roots: vec![0], weights: vec![], members: vec![], n_targets: 1 };
    assert_eq!(Forest::new(&itself).unwrap_err(), ForestError::Cycle { tree: 0, node: 0 });
    let nodes = vec![leaf.clone(), branch(2, 0), branch(0, 3), branch(1, 0)];
    let around = Ensemble { nodes, roots: vec![0, 1], weights: vec![], members: vec![], n_targets: 1 };
    assert_eq!(Forest::new(&around).unwrap_err(), ForestError::Cycle { tree: 1, node: 1 });
}

#[test]
fn a_very_deep_tree_is_walked_without_recursion() {
    let n = 200_000;
    let mut nodes: Vec<Node<f32>> = (0..n).map(|node| branch(node + 1, n)).collect();
    nodes.push(Node::Leaf { weights: 0..1 });
    let ensemble = Ensemble { nodes, roots: vec![0], weights: vec![Weight { target: 0, value: 3.0 }], members: vec![], n_targets: 1 };
    let forest = Forest::new(&ensemble).unwrap();
    let (outputs, _) = forest.evaluate(Rows::new(&[-1.0], 1, 1).unwrap(), Combine::Sum, 1, |row, outputs| outputs[0] = row.scores[0]);
    assert_eq!(outputs, [3.0]);
}

/// A chain of splits that share all their children has exponentially many ways through it.
#[test]
fn shared_subtrees_are_not_copied() {
    let n = 1000;
    let mut nodes: Vec<Node<f32>> = (0..n).map(|node| branch(node + 1, node + 1)).collect();
    nodes.push(Node::Leaf { weights: 0..1 });
    let ensemble = Ensemble { nodes, roots: vec![0], weights: vec![Weight { target: 0, value: 3.0 }], members: vec![], n_targets: 1 };
    let forest = Forest::new(&ensemble).unwrap();
    let rows = [f32::NAN; 10];
    let (outputs, _) = forest.evaluate(Rows::new(&rows, 10, 1).unwrap(), Combine::Sum, 1, |row, outputs| outputs[0] = row.scores[0]);
    assert_eq!(outputs, [3.0; 10]);
}
