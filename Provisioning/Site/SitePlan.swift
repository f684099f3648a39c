package import Installation
import Posix

/// What a server consists of, as the steps that make it.
package struct SitePlan: Sendable {
    package let machine: HostMachine
    package let answers: SiteAnswers
    let source: SiteSource
    /// Unix seconds.
    let now: @Sendable () -> Int64
    let get: @Sendable (_ url: String) async throws -> Int

    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - get: the status of the answer at a URL, e.g. 200.
    package init(
        _ answers: SiteAnswers, from source: SiteSource, on machine: HostMachine, now: @escaping @Sendable () -> Int64,
        get: @escaping @Sendable (_ url: String) async throws -> Int
    ) {
        self.answers = answers
        self.source = source
        self.machine = machine
        self.now = now
        self.get = get
    }

    /// In the order in which they are made. What needs the machine to run is missing where it does not.
    package func steps() throws -> [Step] {
        var steps: [Step] = []
        if answers.hasPackages { steps.append(packages()) }
        steps += [
            files("accounts-files", .storage, "the descriptions of users and folders", accountFiles()), users(), folders(),
            files("programs", .programs, "the programs", programFiles(), resources: programResources, isOfRelease: true),
            files(
                "dashboard", .programs, "the web application", dashboardFiles(), resources: [Resource(.folder, SitePaths.dashboard)],
                isOfRelease: true),
            files("units", .programs, "the units", unitFiles(), isOfRelease: true, then: reloadUnits),
        ]
        if answers.releaseKeys != nil {
            steps.append(files("updater", .programs, "the updater", updaterFiles(), isOfRelease: true, then: reloadUnits))
        }
        steps += try certificateSteps()
        steps += configurationSteps() + [setupSecret()]
        steps += serviceSteps()
        return steps
    }

    // MARK: Storage

    /// What control and the pool find at their first start; systemd makes the others.
    static let folders = [
        PlacedFolder(SitePaths.configuration, mode: 0o755), PlacedFolder(SitePaths.certificates, .control, mode: 0o700),
        PlacedFolder(SitePaths.state, mode: 0o755), PlacedFolder(SitePaths.control, .control, mode: 0o700),
        PlacedFolder(SitePaths.pool, .pool, mode: 0o700), PlacedFolder(SitePaths.recordings, .pool, mode: 0o700),
        PlacedFolder(SitePaths.backups, .control, mode: 0o700),
    ]

    private func accountFiles() -> [PlacedFile] {
        [
            PlacedFile(.file(source.sysusersFile), SitePaths.sysusers),
            PlacedFile(.file(source.tmpfilesFile), SitePaths.tmpfiles),
        ]
    }

    private func folders() -> Step {
        let machine = self.machine
        return Step(
            "folders", .storage, "the folders \(Self.folders.map(\.path).joined(separator: ", "))", contents: .data,
            resources: [Resource(.database, SitePaths.database), Resource(.store, SitePaths.blobs), Resource(.store, SitePaths.recordings)]
                + Self.folders.map { Resource(.folder, $0.path) },
            look: {
                let missing = try Self.folders.filter { try !$0.isThere(on: machine) }.map(\.path)
                return missing.isEmpty ? .done : .missing("missing, or another's: \(missing.joined(separator: ", "))")
            },
            prepare: {
                var before = Before()
                let missing = try Self.folders.filter { try !$0.isThere(on: machine) }
                for folder in missing { try before.note(folder: folder.path, on: machine) }
                return try before.text
            },
            make: { for folder in try Self.folders.filter({ try !$0.isThere(on: machine) }) { try folder.put(on: machine) } },
            undo: { before, _ in
                try Before(before).restore(on: machine)
                return .gone
            })
    }

    // MARK: Programs

    private var programResources: [Resource] { SiteSource.programs.map { Resource(.program, "\(SitePaths.programs)/\($0)") } }

    private func programFiles() -> [PlacedFile] {
        SiteSource.programs.map { PlacedFile(.file(source.program($0)), "\(SitePaths.programs)/\($0)", mode: 0o755) }
    }

    private func dashboardFiles() -> [PlacedFile] {
        // The page goes last: it names the others.
        let last = source.dashboard.sorted { !$0.hasPrefix("index.") && $1.hasPrefix("index.") }
        return last.map { PlacedFile(.file(source.dashboardFile($0)), "\(SitePaths.dashboard)/\($0)") }
    }

    private func unitFiles() -> [PlacedFile] {
        SiteSource.units.map { PlacedFile(.file(source.unit($0)), "\(SitePaths.units)/\($0)") }
    }

    /// A copy of its own, so that no update replaces what updates.
    private func updaterFiles() -> [PlacedFile] {
        [PlacedFile(.file(source.program("strata-provision")), SitePaths.updater, mode: 0o755)]
            + SiteSource.updaterUnits.map { PlacedFile(.file(source.unit($0)), "\(SitePaths.units)/\($0)") }
    }

    /// A step of files that are the same on every machine.
    ///
    /// - Parameter isOfRelease: once the server has updated itself they are not this tool's to replace.
    func files(
        _ name: String, _ phase: Step.Phase, _ title: String, _ files: [PlacedFile], contents: Step.Contents = .machinery,
        resources: [Resource] = [], isOfRelease: Bool = false, then: (@Sendable () async throws -> Void)? = nil
    ) -> Step {
        let machine = self.machine
        return Step(
            name, phase, "\(title): \(Self.words(files))", contents: contents, resources: resources,
            look: {
                if isOfRelease, try FileWork.look(machine.place(SitePaths.currentVersion)) != nil {
                    return .kept("the server updates itself: publish a release, see OPERATE.md")
                }
                let missing = try files.filter { try !$0.isThere(on: machine) }
                return missing.isEmpty ? .done : .missing("missing, or of another version: \(Self.words(missing))")
            },
            prepare: {
                var before = Before()
                for file in try files.filter({ try !$0.isThere(on: machine) }) { try before.note(file: file.path, on: machine) }
                return try before.text
            },
            make: {
                for file in try files.filter({ try !$0.isThere(on: machine) }) { try file.put(on: machine) }
                try await then?()
            },
            undo: { before, _ in
                try Before(before).restore(on: machine)
                try await then?()
                return .gone
            })
    }

    /// `3 files in /usr/bin`, or the one.
    private static func words(_ files: [PlacedFile]) -> String {
        guard let first = files.first, files.count > 1 else { return files.first?.path ?? "nothing" }
        return "\(files.count) files, \(first.path) and so on"
    }

    /// systemd has read the units; where none runs there is nothing to tell.
    var reloadUnits: @Sendable () async throws -> Void {
        let machine = self.machine
        return { if machine.isThisOne { try await machine.systemctl(["daemon-reload"]) } }
    }
}
