import Crypto
import Installation
import Posix
import Releases
import Site

/// A run as the steps that make it, which `Installer` carries out, goes on with and takes back.
///
/// The first step is the last that is taken back: it has what ran before run again, once the link leads there.
struct UpgradePlan: Sendable {
    let run: UpgradeState.Run
    let slots: ServerSlots
    let services: UpgradeServices
    /// Of what `server install` has put in place, and when that was built, in Unix seconds.
    let installed: (version: ReleaseVersion, built: Int64)
    /// What is installed; nil for the other kinds of runs.
    let manifest: ReleaseManifest?
    /// What the link leads to when the run is done.
    let target: ServerSlots.Slot

    private var machine: HostMachine { slots.machine }

    func steps() -> [Step] {
        switch run.kind {
        case .install: changing([adoption(), staging()])
        case .back: changing([])
        case .restore: machine.isThisOne ? [noting(), restoration(), control()] : []
        }
    }

    /// Of a machine that does not run only the files are changed.
    private func changing(_ preparation: [Step]) -> [Step] {
        guard machine.isThisOne else { return preparation + [units(), link()] }
        return [noting()] + preparation + [copy(), units(), link(), control(), pool(), workers()]
    }

    // MARK: Files

    private func adoption() -> Step {
        let (slots, installed) = (self.slots, self.installed)
        return Step(
            "adoption", .programs, "what is installed becomes the first of two versions",
            look: { try slots.isAdopted() ? .done : .missing("it lies in one place only") },
            make: { try slots.adopt(installed.version, built: installed.built) },
            // The bytes that run are the same: there is nothing to take back.
            undo: { _, _ in .gone })
    }

    private func staging() -> Step {
        let (slots, slot, manifest) = (self.slots, target, self.manifest)
        let digest = run.release.flatMap { Hex.decode($0) }
        return Step(
            "staging", .programs, "the files of \(run.target), each as it was signed",
            look: { try slots.linked() != nil && slots.isWhole(slot, release: digest) ? .done : .missing("not there, or not whole") },
            make: {
                guard let manifest else { throw UpgradeFault("the signed release of this run is gone") }
                try slots.stage(manifest, from: slots.machine.place(UpgradePaths.shelf), into: slot)
            },
            undo: { _, _ in
                // A full disk is full of this.
                if try slots.linked() != slot { try slots.clear(slot) }
                return .gone
            })
    }

    private func units() -> Step {
        let (slots, slot) = (self.slots, target)
        return Step(
            "units", .programs, "the units of \(run.target)",
            look: { try slots.hasUnits(of: slot) ? .done : .missing("of another version") },
            make: {
                try slots.putUnits(of: slot)
                try slots.lead(to: slot)
            },
            undo: { _, _ in
                try slots.putUnits(of: slot.other)
                return .gone
            })
    }

    private func link() -> Step {
        let (slots, slot, marks) = (self.slots, target, services.marks)
        return Step(
            "link", .programs, "all programs at once are those of \(run.target)",
            look: { try slots.linked() == slot ? .done : .missing("it leads to \(slot.other.rawValue)") },
            make: {
                // Whatever starts from here on is of the target, as after a loss of power: taken back, it is started anew.
                try marks.set(.restarted)
                try slots.point(slot)
            },
            undo: { _, _ in
                try slots.point(slot.other)
                return .gone
            })
    }

    // MARK: Services

    private func noting() -> Step {
        let (services, copy) = (self.services, run.safetyCopy)
        return Step(
            "services", .service, "what runs is known",
            look: { try services.isNoted() ? .done : .missing("it was not asked yet") },
            make: { try await services.note() },
            undo: { _, _ in
                try await services.goBack(copy: copy)
                return .gone
            })
    }

    private func copy() -> Step {
        let (services, machine, name) = (self.services, self.machine, run.safetyCopy)
        return Step(
            "copy", .storage, "a copy of the database from before",
            look: { try FileTree.look(machine.place(UpgradeServices.copyPath(name))) == nil ? .missing("there is none") : .done },
            make: { try await services.copyDatabase(as: name) },
            // It goes by itself with its time, as the others do.
            undo: { _, _ in .gone })
    }

    private func control() -> Step {
        proof("control", .control, "control of \(run.target) answers") { try await $0.renewControl() }
    }

    private func pool() -> Step { proof("pool", .pool, "the pool of \(run.target) runs") { try await $0.renewPool() } }

    private func workers() -> Step {
        proof("workers", .workers, "what control and the pool had started goes on") { try $0.proveWorkers() }
    }

    private func proof(
        _ name: String, _ mark: UpgradeMarks.Mark, _ title: String, _ make: @escaping @Sendable (UpgradeServices) async throws -> Void
    ) -> Step {
        let services = self.services
        return Step(
            name, .service, title, look: { try services.marks.has(mark) ? .done : .missing("it has not shown it yet") },
            make: { try await make(services) }, undo: { _, _ in .gone })
    }

    // MARK: The database

    /// Control puts aside what was there, as one more copy; taken back, that one is put in place again, where it is a sound database.
    private func restoration() -> Step {
        let (services, run, machine) = (self.services, self.run, self.machine)
        return Step(
            "restoration", .storage, "\(run.copy ?? "a copy") in the place of the database", contents: .data,
            look: { try services.marks.has(.database) ? .done : .missing("the database is as it was") },
            make: {
                guard let copy = run.copy else { throw UpgradeFault("no copy was named") }
                try await services.stopControl()
                // Also where a part of it was done: the database may be put aside, and nothing in its place.
                try await services.restore(copy)
                try services.marks.set(.database)
            },
            undo: { _, _ in
                guard let aside = try Self.aside(of: run, on: machine) else { return .gone }
                try await services.stopControl()
                do {
                    try await services.restore(aside)
                } catch let error as CancellationError {
                    throw error
                } catch {
                    // Damaged, as it may be where a copy was wanted: a server on the copy is better than none, and nothing of it is lost.
                    return .left("the database is \(run.copy ?? "the copy") now, since \(aside) cannot be put back: \(error)")
                }
                return .gone
            })
    }

    /// What the run has put aside: the first, as taking back puts another one aside.
    static func aside(of run: UpgradeState.Run, on machine: HostMachine) throws -> String? {
        let prefix = "\(ServerOrder.copyPrefix)restore."
        let names = try FileTree.names(in: machine.place(SitePaths.control)).filter { $0.hasPrefix(prefix) && !$0.hasSuffix("-wal") }
        return names.compactMap { name in Int64(name.dropFirst(prefix.count)).map { (name, $0) } }
            .filter { $0.1 >= run.startedAt }.min { $0.1 < $1.1 }?.0
    }
}
