// How what `server install` has put in place becomes the first version of a slot.

import Glibc
import Posix
import Releases
import Site

extension ServerSlots {
    /// Whether a slot is what runs, and all programs lead to it.
    func isAdopted() throws -> Bool {
        guard let slot = try linked(), try FileTree.look(standby) == .link(target: Self.target(slot.other)) else { return false }
        guard try FileTree.look(dashboard) == .link(target: Self.dashboardTarget) else { return false }
        return try programs(of: slot).allSatisfy { try FileTree.look(program($0)) == .link(target: Self.programTarget($0)) }
    }

    /// Copies the programs, units and pages that are in use into a slot, and has their places lead to it. Whoever runs notices nothing: the
    /// bytes are the same, and each name leads to them at every moment.
    ///
    /// - Parameters:
    ///   - version: of what `server install` has put in place.
    ///   - built: when that was, in Unix seconds.
    func adopt(_ version: ReleaseVersion, built: Int64) throws {
        try Folder.make("\(root)/slots")
        if try linked() == nil {
            try lay(version, built)
            // What is there and leads nowhere is in the way of the link.
            try FileTree.remove(current)
            try FileTree.makeLink(current, to: Self.target(.a))
            try FileTree.sync(root)
        }
        guard let slot = try linked() else { throw SystemError("readlink", EINVAL, on: current) }
        if try FileTree.look(standby) != .link(target: Self.target(slot.other)) {
            try FileTree.remove(standby)
            try FileTree.makeLink(standby, to: Self.target(slot.other))
        }
        if try FileTree.look(folder(slot.other)) == nil { try FileTree.makeFolder(folder(slot.other)) }
        try FileTree.sync(root)
        try lead(to: slot)
        try leadToDashboard()
    }

    /// Has each program of a slot be found where people and units look for it, by way of the link.
    func lead(to slot: Slot) throws {
        for name in try programs(of: slot) where try FileTree.look(program(name)) != .link(target: Self.programTarget(name)) {
            let draft = program(name) + ".strata-new"
            try FileTree.remove(draft)
            try FileTree.makeLink(draft, to: Self.programTarget(name))
            try FileTree.rename(draft, to: program(name))
        }
        try FileTree.sync(machine.place(SitePaths.programs))
    }

    private func leadToDashboard() throws {
        let draft = dashboard + ".strata-new"
        let found = try FileTree.look(dashboard)
        if found != .link(target: Self.dashboardTarget) {
            try Folder.make(UnixSocket.folder(of: dashboard))
            try FileTree.remove(draft)
            try FileTree.makeLink(draft, to: Self.dashboardTarget)
            if found == nil { try FileTree.rename(draft, to: dashboard) } else { try FileTree.exchange(draft, dashboard) }
            try FileTree.sync(UnixSocket.folder(of: dashboard))
        }
        // What it was, and what a run that was cut off has left of it.
        try FileTree.remove(draft)
    }

    private func lay(_ version: ReleaseVersion, _ built: Int64) throws {
        try clear(.a)
        // Of the years that a manifest has.
        let released = min(max(built, 0), 1 << 37)
        var files: [ReleaseFile] = []
        for (source, path, isExecutable) in try installed() {
            let target = "\(folder(.a))/\(path)"
            try Folder.make(UnixSocket.folder(of: target))
            let (size, digest) = try copy(source, to: target, upTo: ReleaseFile.sizeLimit)
            let file = ReleaseFile(
                product: .server, machine: kind, isExecutable: isExecutable, size: size, digest: digest, path: path)
            guard let file else { throw UpgradeFault("'\(path)' has a name that no release has") }
            try finish(file, at: target, releasedAt: released)
            files.append(file)
        }
        let manifest = try ReleaseManifest(
            version: version, sequence: 1, channel: version.isPrerelease ? .edge : .stable, released: released, expires: released + 1,
            minimum: version, files: files)
        try seal(.a, manifest)
    }

    /// What is in use: where it lies, and where in a slot it belongs.
    private func installed() throws -> [(source: String, path: String, isExecutable: Bool)] {
        var found: [(source: String, path: String, isExecutable: Bool)] = []
        for name in SiteSource.programs { found.append((program(name), "bin/\(name)", true)) }
        for name in SiteSource.units { found.append((unit(name), "systemd/\(name)", false)) }
        for folder in ["", "assets/"] {
            let place = "\(dashboard)/\(folder)"
            guard try FileTree.look(place + ".") != nil else { continue }
            for name in try FileTree.names(in: place).sorted() { found.append((place + name, "dashboard/\(folder)\(name)", false)) }
        }
        return try found.filter { entry in
            guard case .file? = try FileTree.look(entry.source) else { return false }
            return true
        }
    }

    private func programs(of slot: Slot) throws -> [String] {
        let place = "\(folder(slot))/bin"
        guard try FileTree.look(place) == .folder else { return [] }
        return try FileTree.names(in: place).sorted()
    }

    // MARK: The updater's own

    /// Whether the updater is the one of the version that runs.
    func isOwn() throws -> Bool {
        guard let slot = try linked() else { return true }
        for (source, target) in own(slot) where try FileTree.look(source) != nil {
            let limit = ReleaseFile.sizeLimit
            if try KeptFile.read(source, upTo: limit) != KeptFile.read(target, upTo: limit) { return false }
        }
        return true
    }

    /// Replaces the updater by the one of the version that runs, which has shown that it works: called between two updates, never in one.
    func renewOwn() throws {
        guard let slot = try linked() else { return }
        try Folder.make(machine.place(UpgradePaths.updaterFolder))
        for (source, target) in own(slot) where try FileTree.look(source) != nil {
            let draft = target + ".strata-new"
            _ = try copy(source, to: draft, upTo: ReleaseFile.sizeLimit)
            try FileTree.setMode(target.hasSuffix("strata-provision") ? 0o755 : 0o644, of: draft)
            try FileTree.sync(draft)
            try FileTree.rename(draft, to: target)
            try FileTree.sync(UnixSocket.folder(of: target))
        }
    }

    private func own(_ slot: Slot) -> [(source: String, target: String)] {
        var pairs = [(source: "\(folder(slot))/bin/strata-provision", target: machine.place(UpgradePaths.updater))]
        for name in SiteSource.updaterUnits { pairs.append((source: "\(folder(slot))/systemd/\(name)", target: unit(name))) }
        return pairs
    }

    // MARK: Places

    private func program(_ name: String) -> String { machine.place("\(SitePaths.programs)/\(name)") }
    private var dashboard: String { machine.place(SitePaths.dashboard) }
    /// Relative, so that they lead there in a folder that holds another machine's files as well.
    private static func programTarget(_ name: String) -> String { "../lib/strata/current/bin/\(name)" }
    private static let dashboardTarget = "../../lib/strata/current/dashboard"
}
