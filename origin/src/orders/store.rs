//! Where the sample services keep orders: the memory of one process.
//!
//! Every owner begins with two samples, `sample-1` and `sample-2`, so that there is something to list;
//! what is posted is kept beside them until the process ends. Lambda may run several processes and ends
//! each when it likes, so a posted order is not sure to be found again. A real service puts its database
//! here; nothing of authorisation would change.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use super::{Order, OrderStatus};

/// The identifiers of the orders that every owner begins with.
pub const SAMPLES: [&str; 2] = ["sample-1", "sample-2"];

/// Most orders that are kept for all owners together; the oldest gives way. Bounds the memory that
/// callers can make the process hold.
pub const MAX_KEPT: usize = 1_000;

/// Whose orders: a company's, or those of one of its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    company: String,
    user: Option<String>,
}

/// The sample services' orders.
#[derive(Debug, Default)]
pub struct SampleStore {
    kept: Mutex<VecDeque<(Owner, Order)>>,
}

impl Owner {
    /// The company as a whole.
    #[must_use]
    pub fn company(company: &str) -> Self {
        Self { company: company.to_owned(), user: None }
    }

    /// A user within a company.
    #[must_use]
    pub fn user(company: &str, user: &str) -> Self {
        Self { company: company.to_owned(), user: Some(user.to_owned()) }
    }

    fn order(&self, id: String) -> Order {
        Order { order_id: id, company_id: self.company.clone(), order_status: OrderStatus::Pending }
    }
}

impl SampleStore {
    /// All orders of `owner`, oldest first.
    #[must_use]
    pub fn list(&self, owner: &Owner) -> Vec<Order> {
        let mut orders: Vec<Order> = SAMPLES.iter().map(|id| owner.order((*id).to_owned())).collect();
        orders.extend(self.locked().iter().filter(|(kept, _)| kept == owner).map(|(_, order)| order.clone()));
        orders
    }

    /// The order `id`, when it is one of `owner`'s.
    #[must_use]
    pub fn find(&self, owner: &Owner, id: &str) -> Option<Order> {
        self.list(owner).into_iter().find(|order| order.order_id == id)
    }

    /// Takes in a new order.
    pub fn place(&self, owner: Owner) -> Order {
        let order = owner.order(Uuid::new_v4().to_string());
        let mut kept = self.locked();
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((owner, order.clone()));
        order
    }

    // A panic elsewhere leaves the queue whole: each change is one push or one pop.
    fn locked(&self) -> std::sync::MutexGuard<'_, VecDeque<(Owner, Order)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_sees_samples_and_what_it_placed_and_nothing_of_others() {
        let store = SampleStore::default();
        let (owner, other) = (Owner::user("1111", "alice"), Owner::user("1111", "bob"));
        let placed = store.place(owner.clone());
        assert_eq!(placed.company_id, "1111");
        assert!(Uuid::parse_str(&placed.order_id).is_ok());
        assert_eq!(store.list(&owner).len(), SAMPLES.len() + 1);
        assert_eq!(store.find(&owner, &placed.order_id), Some(placed.clone()));
        for stranger in [other, Owner::company("1111"), Owner::user("2222", "alice")] {
            assert_eq!(store.find(&stranger, &placed.order_id), None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let store = SampleStore::default();
        let first = store.place(Owner::company("1111"));
        for _ in 0..MAX_KEPT {
            store.place(Owner::company("2222"));
        }
        assert_eq!(store.find(&Owner::company("1111"), &first.order_id), None);
        assert_eq!(store.list(&Owner::company("2222")).len(), MAX_KEPT + SAMPLES.len());
    }
}
