package import Posix
package import Releases

/// What is done next. Whoever carries it out answers with `UpdateMachine.finished`; one step is under way at a time.
package enum UpdateStep: Hashable, Sendable {
    /// Nothing, until then or until something else is told; nil: until something is told.
    case wait(until: Instant?)
    /// Writes the journal, and has it on the disk.
    case store(UpdateJournal)
    /// Leaves the slot an empty folder.
    case clear(Slot)
    /// Answers `.bytes`: how much of the file is there, of its size if it is there as a whole.
    case measure(ReleaseFile, Slot)
    /// Asks for these bytes of the file, which control names by its digest, and puts them behind those that are there. Answers `.bytes`.
    case fetch(ReleaseFile, Slot, Range<Int>)
    /// Holds the file against its digest. One that is right gets its name, and is on the disk; of one that is not nothing is left,
    /// `.mismatch`.
    case check(ReleaseFile, Slot)
    /// Writes the manifest into the slot.
    case seal(Slot, ReleaseManifest)
    /// Reads everything in the slot once more and holds it against its manifest, and that against the digest if there is one; `.mismatch`.
    case inspect(Slot, digest: [UInt8]?)
    /// Has the link point to the slot, by one atomic step and on the disk. Does nothing where it does already.
    case point(Slot)
    /// Ends the agent and starts what the link points to.
    case restart

    package enum Outcome: Hashable, Sendable {
        case done
        case bytes(Int)
        case mismatch
        /// The disk, the service manager: with the reason, for people.
        case failed(String)
        /// The line, or control: it may be better later.
        case unreachable(String)
        /// Control does not have it any more.
        case gone
    }
}

/// Why an offer was not taken.
package enum OfferRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another update is under way.
    case busy(ReleaseVersion)
    case signature(ReleaseFault)
    case rule(UpdateRefusal)

    package var description: String {
        switch self {
        case .busy(let version): "\(version) is being installed"
        case .signature(let fault): fault.description
        case .rule(let refusal): refusal.description
        }
    }
}

/// What the updater may do and how long things take.
package struct UpdateSettings: Hashable, Sendable {
    package var product: ReleaseProduct
    package var machine: MachineClass
    package var channel: ReleaseChannel
    /// How long a new version has to show that it works.
    package var proofLimit: Duration = .seconds(300)
    /// So often the updater may be started while a new version is proving itself; a board that loses power again and again goes back.
    package var startLimit = 3

    package init(product: ReleaseProduct, machine: MachineClass, channel: ReleaseChannel) {
        self.product = product
        self.machine = machine
        self.channel = channel
    }
}
