//! One error for the door between core and faces: whatever failed, what kind of failure it was decides the exit code.

use crate::task::Cancelled;

/// Anything that can go wrong, as a sentence for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Load(#[from] crate::onnx::LoadError),
    #[error(transparent)]
    Save(#[from] crate::onnx::SaveError),
    #[error(transparent)]
    Contract(#[from] crate::contract::ContractError),
    #[error(transparent)]
    Plan(crate::engine::PlanError),
    #[error(transparent)]
    Run(crate::engine::RunError),
    #[error(transparent)]
    Device(#[from] crate::tensor::DeviceError),
    #[error(transparent)]
    Data(crate::data::DataError),
    #[error(transparent)]
    Score(crate::score::ScoreError),
    #[error(transparent)]
    Compare(crate::compare::CompareError),
    #[error(transparent)]
    Predict(crate::predict::PredictError),
    #[error(transparent)]
    Verify(crate::verify::VerifyError),
    #[error(transparent)]
    Profile(crate::profile::ProfileError),
    #[error(transparent)]
    Package(crate::package::PackageError),
    #[error(transparent)]
    UnknownModel(#[from] crate::resolve::UnknownModel),
    #[error(transparent)]
    Registry(crate::registry::RegistryError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// Whether this is the user's own "stop" rather than a failure.
    pub fn is_cancelled(&self) -> bool {
        if let Self::Compare(error) = self {
            return error.is_cancelled();
        }
        matches!(
            self,
            Self::Cancelled(_)
                | Self::Load(crate::onnx::LoadError::Cancelled(_))
                | Self::Save(crate::onnx::SaveError::Cancelled(_))
                | Self::Plan(crate::engine::PlanError::Cancelled(_))
                | Self::Run(crate::engine::RunError::Cancelled(_))
                | Self::Data(crate::data::DataError::Cancelled(_))
                | Self::Score(crate::score::ScoreError::Cancelled(_))
                | Self::Predict(crate::predict::PredictError::Cancelled(_))
                | Self::Verify(crate::verify::VerifyError::Cancelled(_))
                | Self::Profile(
                    crate::profile::ProfileError::Cancelled(_)
                        | crate::profile::ProfileError::Load(crate::onnx::LoadError::Cancelled(_))
                        | crate::profile::ProfileError::Plan(crate::engine::PlanError::Cancelled(_))
                        | crate::profile::ProfileError::Run(crate::engine::RunError::Cancelled(_))
                )
                | Self::Registry(crate::registry::RegistryError::Cancelled(_))
        ) || matches!(self, Self::Package(error) if error.is_cancelled())
    }
}

/// `From` for module errors that may themselves be a cancellation: kept apart so that a cancellation is one thing, however deep it happened.
macro_rules! from_with_cancellation {
    ($($variant:ident($source:path)),* $(,)?) => {
        $(impl From<$source> for Error {
            fn from(error: $source) -> Self {
                let error = Self::$variant(error);
                if error.is_cancelled() { Self::Cancelled(Cancelled) } else { error }
            }
        })*
    };
}
from_with_cancellation!(
    Plan(crate::engine::PlanError),
    Run(crate::engine::RunError),
    Data(crate::data::DataError),
    Score(crate::score::ScoreError),
    Compare(crate::compare::CompareError),
    Predict(crate::predict::PredictError),
    Verify(crate::verify::VerifyError),
    Profile(crate::profile::ProfileError),
    Registry(crate::registry::RegistryError),
    Package(crate::package::PackageError),
);
