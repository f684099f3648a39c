// Configuration, certificates and the first owner's secret: what a removal leaves.
import Crypto
import Glibc
import Installation
import Posix
import Service
import TLS

extension SitePlan {
    // MARK: Configuration

    func configurationSteps() -> [Step] {
        let hasIPv6 = access("/proc/net/if_inet6", F_OK) == 0
        let (answers, source) = (self.answers, self.source)
        var steps = [
            configuration("control-configuration", SitePaths.controlConfiguration, "strata-control") {
                try ConfigurationDraft.control(ProgramContext.readText(source.unit("strata-control.conf")), answers, hasIPv6: hasIPv6)
            }
        ]
        if answers.hasPool {
            steps.append(
                configuration("pool-configuration", SitePaths.poolConfiguration, "strata-pool") {
                    try ConfigurationDraft.pool(ProgramContext.readText(source.unit("strata-pool.conf")), answers, hasIPv6: hasIPv6)
                })
        }
        return steps
    }

    /// One that is there already is its operator's, whatever it says.
    private func configuration(
        _ name: String, _ path: String, _ service: String, _ text: @escaping @Sendable () throws -> String
    ) -> Step {
        let (machine, isInstalled) = (self.machine, source.isInstalled)
        let file: @Sendable () throws -> PlacedFile = {
            PlacedFile(.bytes(Array(try text().utf8)), path, .read(by: service), mode: 0o640)
        }
        return Step(
            name, .configuration, "the configuration \(path)", contents: .data, resources: [Resource(.configuration, path)],
            look: {
                guard try FileWork.look(machine.place(path)) != nil else { return .missing("there is none") }
                if isInstalled { return .done }
                return try file().hasContent(on: machine) ? .done : .kept("\(path) is there and says something else: it is left as it is")
            },
            prepare: { try Self.noted([path], on: machine) }, make: { try file().put(on: machine) }, undo: Self.restore(machine))
    }

    // MARK: Certificates

    func certificateSteps() throws -> [Step] {
        var steps: [Step] = []
        if let recipient = answers.backupRecipient {
            // Where it came from may be gone by now.
            guard let bytes = try FileWork.read(recipient) ?? FileWork.read(machine.place(SitePaths.backupRecipient)) else {
                throw SiteFault("--backup-recipient: there is no \(recipient)")
            }
            let file = PlacedFile(.bytes(bytes), SitePaths.backupRecipient)
            steps.append(
                files("backup-recipient", .configuration, "whom backups are sealed for", [file], contents: .data))
        }
        if let keys = answers.releaseKeys {
            // The one that is installed first: where it came from may be anybody's by now, and who writes there would become root by it.
            guard let bytes = try FileWork.read(machine.place(SitePaths.releaseKeys)) ?? FileWork.read(keys) else {
                throw SiteFault("--release-keys: there is no \(keys)")
            }
            let file = PlacedFile(.bytes(bytes), SitePaths.releaseKeys)
            steps.append(files("release-keys", .configuration, "whose releases it takes", [file], contents: .data))
        }
        switch answers.certificate {
        case .own: return steps + [ownCertificate()]
        case .files: return steps + [givenCertificate()]
        case .acme: return steps + [certificateHook(), publicCertificate()]
        }
    }

    private static let ownFiles = [SitePaths.authorityKey, SitePaths.authority, SitePaths.key, SitePaths.chain]

    private func ownCertificate() -> Step {
        let (machine, answers, now) = (self.machine, self.answers, self.now)
        return Step(
            "certificate", .configuration, "an authority of its own, and a certificate for \(answers.host) from it", contents: .data,
            resources: certificateResources + [Resource(.secret, SitePaths.authorityKey)],
            look: { try Self.served(answers, on: machine, at: now()) },
            prepare: { try Self.noted(Self.ownFiles, on: machine) },
            make: {
                let authority = try Self.authority(on: machine, at: now())
                let leaf = try authority.issue(for: [answers.host], at: now())
                // The key goes first: a chain without its key would be taken for whole by nobody.
                try PlacedFile(.bytes(Array(leaf.privateKeyPEM.utf8)), SitePaths.key, .control, mode: 0o600).put(on: machine)
                try PlacedFile(.bytes(Array(leaf.chainPEM.utf8)), SitePaths.chain, .control, mode: 0o600).put(on: machine)
            },
            undo: Self.restore(machine))
    }

    /// The machine's authority, or a new one where there is neither a certificate nor a key of it.
    private static func authority(on machine: HostMachine, at now: Int64) throws -> CertificateAuthority {
        let certificate = try FileWork.read(machine.place(SitePaths.authority))
        let key = try FileWork.read(machine.place(SitePaths.authorityKey))
        switch (certificate, key) {
        case (let certificate?, let key?):
            return try CertificateAuthority(
                certificatePEM: String(decoding: certificate, as: UTF8.self), privateKeyPEM: String(decoding: key, as: UTF8.self))
        case (_?, nil):
            throw SiteFault(
                "there is \(SitePaths.authority) and not its key \(SitePaths.authorityKey): put that back, since boards know no other")
        case (nil, _):
            // A key alone has signed nothing: the certificate is written after it.
            let made = try CertificateAuthority.make(name: "Strata local CA", at: now)
            try PlacedFile(.bytes(Array(made.privateKeyPEM.utf8)), SitePaths.authorityKey, .control, mode: 0o600).put(on: machine)
            try PlacedFile(.bytes(Array(made.certificatePEM.utf8)), SitePaths.authority, .control, mode: 0o600).put(on: machine)
            return made
        }
    }

    private func givenCertificate() -> Step {
        let (machine, answers, now) = (self.machine, self.answers, self.now)
        let given = [
            (answers.keyFile, SitePaths.key), (answers.certificateFile, SitePaths.chain), (answers.authorityFile, SitePaths.authority),
        ]
        let files = given.compactMap { source, path in
            source.map { PlacedFile(.file($0), path, .control, mode: 0o600) }
        }
        return Step(
            "certificate", .configuration, "the certificate of \(answers.certificateFile ?? "")", contents: .data,
            resources: certificateResources,
            look: {
                // Where it came from may be gone by now.
                let isSourceThere = given.allSatisfy { $0.0.map { access($0, R_OK) == 0 } ?? true }
                if isSourceThere, try !files.allSatisfy({ try $0.isThere(on: machine) }) { return .missing("it is not there yet") }
                return try Self.served(answers, on: machine, at: now())
            },
            prepare: { try Self.noted(files.map(\.path), on: machine) },
            make: { for file in files { try file.put(on: machine) } }, undo: Self.restore(machine))
    }

    /// The name that certbot keeps the certificate under.
    private static let lineage = "strata"
    /// Where certbot has the newest one of it, as links.
    private static let newest = "/etc/letsencrypt/live/\(lineage)"

    /// certbot calls its hook once for each certificate, whatever becomes of that: one that met a full disk, or a loss of power between key
    /// and chain, would be called again after two months, and the old certificate be over by then. So certbot's unit calls it too, after
    /// each of its looks, for what was left undone.
    private func certificateHook() -> Step {
        let text = """
            #!/bin/sh
            # Puts a new certificate where strata-control reads it, as root. Called by certbot with each that it has renewed, and by
            # certbot.service with 'missed' for one that was not put there, or not wholly.
            set -e
            newest=\(Self.newest)
            if [ "$1" = missed ]; then
                # The chain goes last: one that is there is younger than what it is a copy of.
                [ "$newest/fullchain.pem" -nt \(SitePaths.chain) ] || exit 0
            else
                [ "$RENEWED_LINEAGE" = "$newest" ] || exit 0
            fi
            # Written in a folder of root's: what strata-control might put into its own is not followed. Both are on the disk before
            # either is moved: a key with another certificate's chain is of no use to anybody.
            new=\(SitePaths.configuration)/.new-
            for file in privkey.pem fullchain.pem; do
                install -T -o strata-control -g strata-control -m 600 "$newest/$file" "$new$file"
                sync "$new$file"
            done
            mv -fT "${new}privkey.pem" \(SitePaths.key)
            mv -fT "${new}fullchain.pem" \(SitePaths.chain)
            sync \(SitePaths.certificates)
            systemctl try-reload-or-restart strata-control.service
            # coturn beside it has a copy from its start (strata-turn.coturn), and would present that until it is over.
            [ ! -e /etc/systemd/system/coturn.service.d/strata.conf ] || systemctl try-restart coturn.service

            """
        let look = """
            # Of strata-provision: what certbot's hook could not do is done after certbot's next look.
            [Service]
            ExecStopPost=\(SitePaths.certificateHook) missed

            """
        let placed = [
            PlacedFile(.bytes(Array(text.utf8)), SitePaths.certificateHook, mode: 0o755),
            PlacedFile(.bytes(Array(look.utf8)), SitePaths.certificateLook),
        ]
        return files("certificate-hook", .configuration, "what certbot calls with a new certificate", placed, then: reloadUnits)
    }

    /// certbot listens on port 80 for the moment in which the authority asks; Debian's timer renews, and calls the hook again.
    private func publicCertificate() -> Step {
        let (machine, answers, now) = (self.machine, self.answers, self.now)
        return Step(
            "certificate", .configuration, "a certificate for \(answers.host) from a public authority", contents: .data,
            resources: certificateResources,
            look: { try Self.served(answers, on: machine, at: now()) },
            prepare: { try Self.noted([SitePaths.key, SitePaths.chain], on: machine) },
            make: {
                let put = ["env", "RENEWED_LINEAGE=\(Self.newest)", SitePaths.certificateHook]
                // One that certbot has and that was not put there wholly takes no authority, and keeps the names that it was given since.
                if try FileWork.look(machine.place("\(Self.newest)/fullchain.pem")) != nil {
                    try await machine.run(put, mayFail: true)
                    if case .done = try Self.served(answers, on: machine, at: now()) { return }
                }
                // Kept with the certificate, for its renewals.
                let authority = answers.acmeDirectory.map { ["--server", $0] } ?? []
                try await machine.run(
                    [
                        "certbot", "certonly", "--standalone", "--non-interactive", "--agree-tos", "--keep-until-expiring", "--email",
                        answers.mail ?? "", "--domain", answers.host, "--cert-name", Self.lineage, "--deploy-hook",
                        SitePaths.certificateHook,
                    ] + authority)
                // One that is kept calls no hook.
                try await machine.run(put)
            },
            undo: { before, reason in
                try await machine.run(["certbot", "delete", "--non-interactive", "--cert-name", Self.lineage], mayFail: true)
                return try await Self.restore(machine)(before, reason)
            })
    }

    private var certificateResources: [Resource] {
        [Resource(.domain, answers.host), Resource(.certificate, SitePaths.chain), Resource(.secret, SitePaths.key)]
    }

    /// Whether those who dial the server accept what lies there.
    private static func served(_ answers: SiteAnswers, on machine: HostMachine, at now: Int64) throws -> Step.Condition {
        let (chain, key) = (machine.place(SitePaths.chain), machine.place(SitePaths.key))
        for path in [SitePaths.key, SitePaths.chain] {
            guard try FileWork.look(machine.place(path)) != nil else { return .missing("there is no \(path)") }
        }
        do {
            let context = try TLSContext.server(certificateFile: chain, keyFile: key)
            guard let fault = context.fault(for: try demand(answers, on: machine), at: Int(now)) else { return .done }
            return .missing("the one that is there is of no use: \(words(fault))")
        } catch let error as TLSError {
            return .missing("the one that is there cannot be used: \(error)")
        }
    }

    static func demand(_ answers: SiteAnswers, on machine: HostMachine) throws -> ChainDemand {
        var pin: [UInt8]?
        if answers.hasAuthority, let pem = try FileWork.read(machine.place(SitePaths.authority)) {
            pin = try Certificate(pem: String(decoding: pem, as: UTF8.self)).fingerprint
        }
        return ChainDemand(authority: pin, hosts: [answers.host])
    }

    /// For people.
    static func words(_ fault: ChainFault) -> String {
        switch fault {
        case .over: "it is over"
        case .begins: "it begins later, by this machine's clock"
        case .notOfAuthority(let reason): "the authority has not signed it: \(reason)"
        case .otherNames(let names, _): "it is for other names: \(names.joined(separator: ", "))"
        }
    }

    // MARK: The first owner

    /// Made before control's first start, which takes the one that it finds. Nothing prints it: whoever may read the file may own the
    /// server.
    func setupSecret() -> Step {
        let machine = self.machine
        return Step(
            "setup-secret", .configuration, "the secret that makes its first owner, in \(SitePaths.setupSecret)", contents: .data,
            resources: [Resource(.secret, SitePaths.setupSecret)],
            look: {
                let isThere = try [SitePaths.database, SitePaths.setupSecret].contains { try FileWork.look(machine.place($0)) != nil }
                return isThere ? .done : .missing("there is none")
            },
            prepare: { try Self.noted([SitePaths.setupSecret], on: machine) },
            make: {
                let text = Base64URL.encode(randomBytes(24)) + "\n"
                try PlacedFile(.bytes(Array(text.utf8)), SitePaths.setupSecret, .control, mode: 0o600).put(on: machine)
            },
            undo: Self.restore(machine))
    }

    /// Whether somebody has become this server's owner: control removes the secret then.
    package static func isOwned(_ machine: HostMachine) throws -> Bool {
        try FileWork.look(machine.place(SitePaths.database)) != nil && FileWork.look(machine.place(SitePaths.setupSecret)) == nil
    }

    // MARK: Parts

    private static func noted(_ paths: [String], on machine: HostMachine) throws -> String {
        var before = Before()
        for path in paths { try before.note(file: path, on: machine) }
        return try before.text
    }

    static func restore(_ machine: HostMachine) -> @Sendable (_ before: String, _ reason: Step.Reason) async throws -> Step.Undone {
        { before, _ in
            try Before(before).restore(on: machine)
            return .gone
        }
    }
}

/// Something that has to be set right by hand.
struct SiteFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
