//! A Docker engine with one environment of a project on it: what container and swarm have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::target::Answer;
use crate::apply::target::error::TargetError;
use crate::apply::target::image::outside;
use crate::apply::target::place::Place;
use crate::apply::target::service::Service;
use crate::workspace::config::environment::ServiceTable;
use crate::world::engine::Engine;
use crate::world::variable::Env;

/// Where an environment's packages run.
#[derive(Clone)]
pub struct Site {
    pub engine: Engine,
    pub place: Place,
    /// How each package runs, by its name.
    services: BTreeMap<String, ServiceTable>,
    /// Reads this run's environment: what is handed on to services, where Docker's settings are.
    pub variable: Env,
}

impl Site {
    /// `scope` tells this project's things from others' on the same engine.
    pub fn new(
        engine: Engine,
        scope: &str,
        environment: &str,
        services: BTreeMap<String, ServiceTable>,
        variable: Env,
    ) -> Site {
        let place = Place { scope: scope.to_owned(), environment: environment.to_owned() };
        Site { engine, place, services, variable }
    }

    /// How a package runs.
    ///
    /// # Errors
    /// `Settings` where its table can not be used.
    pub fn service(&self, package: &str) -> Answer<Service> {
        let blank = ServiceTable::default();
        let table = self.services.get(package).unwrap_or(&blank);
        Service::read(package, table, &|name| (self.variable)(name))
    }

    /// The network that a service joins must be there. `place` says where it is looked for, `made` how it is made.
    ///
    /// # Errors
    /// `Settings` where it is not.
    pub async fn refuse_missing_network(
        &self,
        package: &str,
        service: &Service,
        place: &str,
        made: &str,
    ) -> Answer<()> {
        let Some(network) = &service.network else { return Ok(()) };
        if self.engine.has_network(network).await.map_err(outside)? {
            return Ok(());
        }
        Err(TargetError::Settings {
            what: format!("the network `{network}` of `{package}` is not {place}"),
            reason: format!("`{made} {network}` makes it"),
        })
    }

    /// Removes images where nothing needs them.
    ///
    /// # Errors
    /// `Outside` where the engine does not answer.
    pub async fn forget_images(&self, images: BTreeSet<String>) -> Answer<()> {
        for image in images {
            self.engine.remove_image(&image).await.map_err(outside)?;
        }
        Ok(())
    }
}
