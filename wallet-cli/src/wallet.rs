//! The wallet: a vault, what its records say, and the way to the ledger and to others. Every command is a function
//! here or in the modules that extend it ([`crate::receive`], [`crate::present`]), without a terminal.

use crate::{
    anchor,
    error::WalletError,
    holdings::{Holdings, Setup},
    receipt,
    ui::Ui,
    vault::{KdfCost, Passphrase, Vault},
    view::{self, View},
    withdraw,
};
use identity_core::oauth::url::{Transport, parse_endpoint};
use identity_core::x509::TrustAnchors;
use ledger::TrustRoot;
use ledger::tree::empty_root;
use rand::CryptoRng;
use service_kit::trust_keeper::TrustKeeper;
use service_kit::trust_walk::Age;
use service_kit::{
    chance::{Chance, SystemChance},
    clock::{Clock, SystemClock},
    fetch::{Fetch, FetchConfig, Fetcher},
    ledger_client::LedgerClient,
};
use std::{path::Path, sync::Arc};

/// Seconds until somebody must have answered. A person waits at the other end.
const PATIENCE_SECONDS: u64 = 20;

/// What the wallet needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// How others are reached. `None`: over the network, as the setup says.
    pub fetch: Option<Arc<dyn Fetch>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where keys and nonces come from.
    pub chance: Arc<dyn Chance>,
}

impl Ports {
    /// The real world.
    ///
    /// # Errors
    /// [`WalletError::NoChance`].
    pub fn system() -> Result<Self, WalletError> {
        Ok(Self { fetch: None, clock: Arc::new(SystemClock), chance: Arc::new(SystemChance::new()?) })
    }
}

/// Seconds in a day: what is stored of the trust root's age lags behind by no more.
const DAY: i64 = 86_400;

/// An open wallet. Holds the lock on its vault until dropped.
pub struct Wallet {
    pub(crate) holdings: Holdings,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) ledger: LedgerClient,
    trust: TrustKeeper,
    pub(crate) clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    /// Authorities whose certificates name services.
    pub(crate) clients: TrustAnchors,
    plain: bool,
}

impl Wallet {
    /// Makes a new vault in `dir` and opens the wallet on it. What the setup names is checked first, so that a slip
    /// leaves nothing behind.
    ///
    /// # Errors
    /// A trust root or network settings that cannot be used, or the vault's refusal.
    pub fn init(
        dir: &Path,
        passphrase: &Passphrase,
        cost: KdfCost,
        setup: Setup,
        ports: Ports,
    ) -> Result<Self, WalletError> {
        parse_endpoint(&setup.ledger, transport(setup.plain))
            .map_err(|error| WalletError::Network(format!("the ledger's address: {error}")))?;
        let trust_root = TrustRoot::parse(&setup.trust_root).map_err(|_| WalletError::TrustRoot)?;
        // Whoever makes a vault has the trust root from somebody they trust, just now.
        let age = Age { policy: trust_root.digest(), size: 0, root: empty_root(), as_of: ports.clock.now() };
        let setup = Setup { trust_age: Some(age), ..setup };
        let (fetch, ledger, trust) = connect(&setup, ports.fetch, Arc::clone(&ports.clock))?;
        let clients = client_authorities(&setup)?;
        let mut rng = ports.chance.rng();
        let vault = Vault::create(dir, passphrase, cost, &mut rng)?;
        let mut holdings = Holdings::read(vault)?;
        let plain = setup.plain;
        holdings.add_setup(setup, &mut rng)?;
        Ok(Self { holdings, fetch, ledger, trust, clock: ports.clock, chance: ports.chance, clients, plain })
    }

    /// Opens the wallet in `dir`.
    ///
    /// # Errors
    /// The vault's refusal, or a setup that cannot be used any more.
    pub fn open(dir: &Path, passphrase: &Passphrase, ports: Ports) -> Result<Self, WalletError> {
        Self::over(Holdings::read(Vault::open(dir, passphrase)?)?, ports)
    }

    /// Opens the wallet over holdings that are open already.
    ///
    /// # Errors
    /// A setup that cannot be used any more.
    pub fn over(holdings: Holdings, ports: Ports) -> Result<Self, WalletError> {
        let setup = holdings.setup().ok_or(WalletError::NoSetup)?;
        let (fetch, ledger, trust) = connect(setup, ports.fetch, Arc::clone(&ports.clock))?;
        let clients = client_authorities(setup)?;
        let plain = setup.plain;
        Ok(Self { holdings, fetch, ledger, trust, clock: ports.clock, chance: ports.chance, clients, plain })
    }

    /// Stores whom the wallet believes, if others are in force or if what is stored of it has become old.
    ///
    /// # Errors
    /// A vault that cannot be written.
    pub fn keep_trust(&mut self) -> Result<(), WalletError> {
        let Some(setup) = self.holdings.setup() else { return Ok(()) };
        let (moved, age) = (self.trust.moved(), self.trust.age());
        let stored = setup.trust_age.as_ref().map(|age| age.as_of);
        let is_old = age.as_ref().is_some_and(|age| stored.is_none_or(|stored| age.as_of.since(stored) >= DAY));
        if moved.is_none() && !is_old {
            return Ok(());
        }
        let trust_root = moved.map_or_else(|| setup.trust_root.clone(), |(policy, _)| policy);
        let setup = Setup { trust_root, trust_age: age, ..setup.clone() };
        let mut rng = self.rng();
        Ok(self.holdings.add_setup(setup, &mut rng)?)
    }

    /// What the vault holds.
    #[must_use]
    pub fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    /// The ledger's origin, which the trust root names.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.ledger.origin()
    }

    /// All credentials; asks first for anchor proofs that were late.
    ///
    /// # Errors
    /// A vault that cannot be written. An issuer that cannot be reached is no error: the proof stays late.
    pub async fn list(&mut self, ui: &Ui) -> Result<View, WalletError> {
        anchor::fetch_late(self).await?;
        Ok(view::list(&self.holdings, ui))
    }

    /// One credential with its claims.
    ///
    /// # Errors
    /// [`WalletError::UnknownCredential`].
    pub fn show(&self, number: usize, ui: &Ui) -> Result<View, WalletError> {
        let (_, credential, proof) = self
            .holdings
            .credentials()
            .find(|(held, ..)| *held == number)
            .ok_or(WalletError::UnknownCredential { number })?;
        Ok(view::show(number, credential, proof.is_some(), ui)?)
    }

    /// Everything shared; asks first for proofs of receipts that were late.
    ///
    /// # Errors
    /// A vault that cannot be written. A service that cannot be reached is no error: the proof stays late.
    pub async fn history(&mut self, ui: &Ui) -> Result<View, WalletError> {
        receipt::fetch_late(self, |_| true).await?;
        withdraw::fetch_late(self, |_| true).await?;
        Ok(view::history(&self.holdings, self.clock.now(), ui))
    }

    pub(crate) fn rng(&self) -> Box<dyn CryptoRng + Send> {
        self.chance.rng()
    }

    /// What addresses from others must be like.
    pub(crate) fn transport(&self) -> Transport {
        transport(self.plain)
    }
}

fn client_authorities(setup: &Setup) -> Result<TrustAnchors, WalletError> {
    if setup.client_ca.is_empty() {
        return Ok(TrustAnchors::none());
    }
    TrustAnchors::from_pem(&setup.client_ca).map_err(WalletError::ClientAuthorities)
}

fn transport(plain: bool) -> Transport {
    if plain { Transport::PlainForDebugging } else { Transport::HttpsOnly }
}

type Connected = (Arc<dyn Fetch>, LedgerClient, TrustKeeper);

fn connect(setup: &Setup, given: Option<Arc<dyn Fetch>>, clock: Arc<dyn Clock>) -> Result<Connected, WalletError> {
    let trust_root = TrustRoot::parse(&setup.trust_root).map_err(|_| WalletError::TrustRoot)?;
    let fetch = match given {
        Some(fetch) => fetch,
        None => {
            let config = FetchConfig {
                ca: setup.ca.clone().into(),
                allow_private: setup.allow_private.clone(),
                allow_plain: setup.plain,
                timeout_seconds: PATIENCE_SECONDS,
            };
            Arc::new(Fetcher::new(&config).map_err(|error| WalletError::Network(error.to_string()))?)
        }
    };
    let trust = TrustKeeper::walking(trust_root, setup.trust_age.clone(), clock);
    let ledger = LedgerClient::trusting(Arc::clone(&fetch), &setup.ledger, trust.clone());
    Ok((fetch, ledger, trust))
}
