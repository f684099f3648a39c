/// One thing that an installation makes: how to see whether it is there, how to make it, and how to take it back.
///
/// `make` and `undo` are asked again after whatever ended them, so each does what is left to do, and nothing where nothing is.
package struct Step: Sendable {
    package enum Phase: String, Sendable, CaseIterable, Codable {
        case storage, programs, configuration, service
    }

    /// What a removal without purge leaves.
    package enum Contents: Sendable {
        /// Made again by the next installation as it was.
        case machinery
        /// What people and programs have put there since, and what nobody can make again.
        case data
    }

    package enum Condition: Hashable, Sendable {
        case done
        /// It is there, and not as this would make it: somebody has changed it since, and it stays so.
        case kept(String)
        case missing(String)

        package var isMissing: Bool { if case .missing = self { true } else { false } }
    }

    /// Why something is taken back.
    package enum Reason: Sendable {
        /// A run that did not end.
        case rollBack
        case removal
    }

    package enum Undone: Hashable, Sendable {
        case gone
        /// Something was left, and why, for people.
        case left(String)
    }

    /// What it is called in the journal: never another name for the same thing, or older journals lose it.
    package let name: String
    package let phase: Phase
    /// What it makes, for the plan: `the folder /etc/strata (755, root)`.
    package let title: String
    package let contents: Contents
    package let resources: [Resource]

    /// What there is; changes nothing.
    package let look: @Sendable () async throws -> Condition
    /// What `undo` will have to know, asked before the first `make` and kept in the journal; empty where it needs nothing.
    package let prepare: @Sendable () async throws -> String
    package let make: @Sendable () async throws -> Void
    package let undo: @Sendable (_ before: String, _ reason: Reason) async throws -> Undone

    package init(
        _ name: String, _ phase: Phase, _ title: String, contents: Contents = .machinery, resources: [Resource] = [],
        look: @escaping @Sendable () async throws -> Condition,
        prepare: @escaping @Sendable () async throws -> String = { "" },
        make: @escaping @Sendable () async throws -> Void,
        undo: @escaping @Sendable (_ before: String, _ reason: Reason) async throws -> Undone
    ) {
        self.name = name
        self.phase = phase
        self.title = title
        self.contents = contents
        self.resources = resources
        self.look = look
        self.prepare = prepare
        self.make = make
        self.undo = undo
    }
}

/// Something that an installation consists of, for its inventory.
package struct Resource: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case database, store, service, timer, secret, certificate, configuration, program, debianPackage, account, folder, domain
    }

    package let kind: Kind
    package let name: String

    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// A step as the machine stands now.
package struct PlannedStep: Sendable {
    package let step: Step
    package let condition: Step.Condition
    /// It was begun before and cut off.
    package let isBegun: Bool

    package var isNeeded: Bool { isBegun || condition.isMissing }
}
