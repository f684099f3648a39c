// The server's own updates, by root on its machine: what its unit does, and what a person there wants now.
import Glibc
import Installation
import Posix
import Releases
import Site
import Upgrade
import Wire

extension Console {
    /// What files of a release are for this machine.
    static var machineClass: MachineClass {
        #if arch(arm64)
            let name = "arm64"
        #else
            let name = "amd64"
        #endif
        guard let machineClass = MachineClass(name) else { preconditionFailure("both names are of a-z and 0-9") }
        return machineClass
    }

    func update(_ arguments: inout Arguments, _ site: ServerSite) async throws {
        let wanted = try arguments.optional("version")
        try arguments.finish()
        let updater = try updater(site)
        guard let wanted else { return show(try await updater.run()) }
        guard let version = ReleaseVersion(wanted) else { throw Arguments.Fault("--version is '\(wanted)'; expected one such as 1.5.0") }
        show(try await carryOut(.install(version, release: try updater.offered(version)), by: updater))
    }

    func goBack(_ arguments: inout Arguments, _ site: ServerSite) async throws {
        let confirmed = try arguments.optional("confirm")
        try arguments.finish()
        let updater = try updater(site)
        let status = try updater.status()
        guard let previous = status.previous, let version = ReleaseVersion(previous) else {
            throw Arguments.Fault("there is no version to go back to")
        }
        tell("The server goes back from \(status.installed) to \(previous). Its database, keys and configuration stay as they are.")
        try confirm(previous, confirmed, "nothing was changed")
        show(try await carryOut(.back(to: version), by: updater))
    }

    func restore(_ arguments: inout Arguments, _ site: ServerSite) async throws {
        let (copy, confirmed) = (try arguments.required("copy"), try arguments.optional("confirm"))
        try arguments.finish()
        guard ServerOrder.isCopy(copy) else {
            throw Arguments.Fault("--copy is '\(copy)'; 'strata-control restore' lists those that there are")
        }
        let updater = try updater(site)
        tell("The database becomes \(copy) again: what was written since is lost. What is there now is put aside as one more copy.")
        try confirm(try host(site), confirmed, "nothing was restored")
        show(try await carryOut(.restore(copy: copy), by: updater))
    }

    // MARK: Parts

    private func carryOut(_ move: ServerOrder.Move, by updater: ServerUpdater) async throws -> ServerUpdateReport {
        // A terminal that goes, as with a connection that breaks, is no reason to leave a server with control stopped.
        signal(SIGHUP, SIG_IGN)
        let report = try await updater.carryOut(move)
        if let last = report.history.first, last.result == .failed {
            throw Arguments.Fault("\(last.version) did not work, and \(last.from) is back: \(last.reason ?? "nobody knows why")")
        }
        return report
    }

    private func confirm(_ word: String, _ given: String?, _ otherwise: String) throws {
        let typed = given ?? ServerQuestions(ask).typed("Type \(word) to go on: ")
        guard typed == word else { throw Arguments.Fault("\(otherwise): \(word) has to be typed, or given by --confirm") }
    }

    private func host(_ site: ServerSite) throws -> String { try answers(site).answers.host }

    private func answers(_ site: ServerSite) throws -> (answers: SiteAnswers, version: String?) {
        let journal = try SiteJournal.read(on: site.machine).load()
        guard let order = journal.settled ?? journal.order else {
            throw Arguments.Fault("there is no server here that 'strata-provision server install' has made")
        }
        return (try SiteAnswers(order.settings), order.version)
    }

    private func updater(_ site: ServerSite) throws -> ServerUpdater {
        let (answers, text) = try answers(site)
        let version = text.flatMap { ReleaseVersion($0) } ?? ReleaseVersion(0, 0, 0)
        let loop = site.loop
        return ServerUpdater(
            site.machine, ServerUpdater.Home(version: version, answers: answers, kind: Self.machineClass),
            ServerUpdater.Surroundings(
                get: site.get, now: { unixMilliseconds() }, uptime: { .now }, pause: { try await loop.sleep(for: $0) }),
            tell: tellProgress)
    }
}
