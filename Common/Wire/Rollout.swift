package import Units

extension Kind {
    package enum Rollout {}
}

package typealias RolloutID = ID<Kind.Rollout>

/// What a board's updater says of itself when it asks for its release. Digests are the SHA-256 of a release's manifest, in hex.
package struct UpdateReport: Codable, Sendable, Hashable {
    package enum Phase: String, Codable, Sendable, CaseIterable {
        case idle
        /// Fetching, and holding what came against what was signed.
        case preparing
        /// Switched, and not proven yet.
        case proving
        /// On the way back.
        case returning
    }

    /// Why a release that was offered is not there; what was switched to and did not work stands in `failed`.
    package struct Outcome: Codable, Sendable, Hashable {
        package var release: String
        /// For people.
        package var reason: String

        package init(release: String, reason: String) {
            self.release = release
            self.reason = reason
        }
    }

    /// What files of a release are for, e.g. `arm64`.
    package var machine: String
    package var installed: String
    /// Of what is installed; nil for what came with the installation.
    package var release: String?
    /// What the board can go back to.
    package var previous: String?
    package var phase: Phase
    /// What is being installed.
    package var underWay: String?
    package var fetchedBytes: Int?
    package var totalBytes: Int?
    /// What was tried here and did not work, the last eight.
    package var failed: [String]
    package var outcome: Outcome?
    /// How the last update ended, for people.
    package var last: String?

    package init(
        machine: String, installed: String, release: String? = nil, previous: String? = nil, phase: Phase, underWay: String? = nil,
        fetchedBytes: Int? = nil, totalBytes: Int? = nil, failed: [String] = [], outcome: Outcome? = nil, last: String? = nil
    ) {
        self.machine = machine
        self.installed = installed
        self.release = release
        self.previous = previous
        self.phase = phase
        self.underWay = underWay
        self.fetchedBytes = fetchedBytes
        self.totalBytes = totalBytes
        self.failed = failed
        self.outcome = outcome
        self.last = last
    }
}

/// Control's answer to an `UpdateReport`. It offers and signs nothing: what is taken is the board's to judge.
package struct UpdateOrder: Codable, Sendable, Hashable {
    package enum Wish: String, Codable, Sendable {
        case nothing, install, withdraw, goBack

        /// What a newer control may wish is nothing that this updater can do.
        package init(from decoder: any Decoder) throws {
            self = Wish(rawValue: try decoder.singleValueContainer().decode(String.self)) ?? .nothing
        }
    }

    package var wish: Wish
    /// Which of the published releases it is about; nil with `nothing`.
    package var version: String?
    /// SHA-256 of its manifest.
    package var release: String?
    /// Also while the board broadcasts.
    package var isForced: Bool
    /// The channel that the board follows.
    package var channel: String

    package init(wish: Wish, version: String? = nil, release: String? = nil, isForced: Bool = false, channel: String) {
        self.wish = wish
        self.version = version
        self.release = release
        self.isForced = isForced
        self.channel = channel
    }
}

// MARK: Bodies of the REST API. Shapes and limits: the OpenAPI document.

/// A release that is published on this server.
package struct ReleaseView: Codable, Sendable, Hashable {
    package var version: String
    package var sequence: Int
    package var channel: String
    package var releasedAt: String
    package var expiresAt: String
    package var minimum: String
    package var notes: [String]
    package var breaking: [String]
    /// What kinds of boards it has files for.
    package var machines: [String]

    package init(
        version: String, sequence: Int, channel: String, releasedAt: String, expiresAt: String, minimum: String, notes: [String],
        breaking: [String], machines: [String]
    ) {
        self.version = version
        self.sequence = sequence
        self.channel = channel
        self.releasedAt = releasedAt
        self.expiresAt = expiresAt
        self.minimum = minimum
        self.notes = notes
        self.breaking = breaking
        self.machines = machines
    }
}

/// To whom a release goes first, and when that ends by itself.
package struct RolloutPlanBody: Codable, Sendable, Hashable {
    package var canaries: [DeviceID]
    /// Of the fleet, ascending to 100.
    package var percentages: [Int]
    package var soakSeconds: Int
    package var atOnce: Int
    package var failureCount: Int
    package var failurePercent: Int
    package var silenceSeconds: Int

    package init(
        canaries: [DeviceID], percentages: [Int], soakSeconds: Int, atOnce: Int, failureCount: Int, failurePercent: Int, silenceSeconds: Int
    ) {
        self.canaries = canaries
        self.percentages = percentages
        self.soakSeconds = soakSeconds
        self.atOnce = atOnce
        self.failureCount = failureCount
        self.failurePercent = failurePercent
        self.silenceSeconds = silenceSeconds
    }
}

/// `POST /rollouts`.
package struct CreateRolloutRequest: Codable, Sendable {
    package var version: String
    package var plan: RolloutPlanBody
    /// Also on boards that broadcast, and on those that have gone back from it.
    package var forced: Bool?

    package init(version: String, plan: RolloutPlanBody, forced: Bool? = nil) {
        self.version = version
        self.plan = plan
        self.forced = forced
    }
}

/// What a person does with a rollout.
package enum RolloutMove: String, Codable, Sendable, CaseIterable {
    case pause, resume, halt
    /// It is over, whoever has it and who has not.
    case end
    /// Boards that have it go back to what they had.
    case rollBack
}

/// `PATCH /rollouts/{id}`.
package struct ChangeRolloutRequest: Codable, Sendable {
    package var move: RolloutMove

    package init(move: RolloutMove) { self.move = move }
}

package enum RolloutState: String, Codable, Sendable, CaseIterable {
    case running, paused, halted, done
    case rolledBack = "rolled_back"
}

/// What became of a release on a board.
package enum BoardFate: String, Codable, Sendable, CaseIterable {
    case offered, switched, installed, failed, returned
}

package struct RolloutBoard: Codable, Sendable, Hashable {
    package var sender: DeviceID
    package var fate: BoardFate
    package var reason: String?

    package init(sender: DeviceID, fate: BoardFate, reason: String?) {
        self.sender = sender
        self.fate = fate
        self.reason = reason
    }
}

package struct RolloutView: Codable, Sendable, Hashable {
    package var id: RolloutID
    package var version: String
    package var channel: String
    package var state: RolloutState
    /// Why it halted.
    package var reason: String?
    package var forced: Bool
    package var plan: RolloutPlanBody
    /// From 1.
    package var step: Int
    package var createdAt: String
    package var endedAt: String?
    /// Of the boards that it has reached.
    package var boards: [RolloutBoard]

    package init(
        id: RolloutID, version: String, channel: String, state: RolloutState, reason: String?, forced: Bool, plan: RolloutPlanBody,
        step: Int, createdAt: String, endedAt: String?, boards: [RolloutBoard]
    ) {
        self.id = id
        self.version = version
        self.channel = channel
        self.state = state
        self.reason = reason
        self.forced = forced
        self.plan = plan
        self.step = step
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.boards = boards
    }
}

/// What a board has, and what it follows.
package struct BoardUpdateView: Codable, Sendable, Hashable {
    package var channel: String
    /// nil: its updater has never asked.
    package var report: UpdateReport?
    package var reportedAt: String?

    package init(channel: String, report: UpdateReport?, reportedAt: String?) {
        self.channel = channel
        self.report = report
        self.reportedAt = reportedAt
    }
}

/// `PUT /senders/{id}/updates`.
package struct ChangeBoardUpdateRequest: Codable, Sendable {
    package var channel: String

    package init(channel: String) { self.channel = channel }
}
