// Every text and list from a board is hostile: cut to the bounds of `WireLimits` where it enters control.

extension String {
    /// At most `count` characters, control characters replaced.
    package func bounded(to count: Int = WireLimits.textCharacters) -> String {
        let cut = self.prefix(count)
        guard cut.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return String(cut) }
        return String(String.UnicodeScalarView(cut.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}

extension Inventory {
    package func bounded() -> Inventory {
        Inventory(
            links: links.prefix(WireLimits.listEntries).map { link in
                Link(
                    name: link.name.bounded(to: 64), kind: link.kind, state: link.state,
                    addresses: link.addresses.prefix(16).map { $0.bounded(to: 64) }, mtu: link.mtu)
            },
            inputs: inputs.prefix(WireLimits.listEntries).map { input in
                Input(
                    id: input.id.bounded(to: 256), kind: input.kind, name: input.name.bounded(to: 256), media: input.media,
                    modes: input.modes.prefix(WireLimits.listEntries).map { mode in
                        var mode = mode
                        mode.format = mode.format.bounded(to: 32)
                        return mode
                    })
            },
            encoders: Array(encoders.prefix(32)))
    }
}

extension AgentHello {
    package func bounded() -> AgentHello {
        AgentHello(
            agentVersion: agentVersion.bounded(to: 64), inventory: inventory.bounded(), configuration: configuration.bounded(),
            sending: sending?.bounded())
    }
}

extension ConfigurationReport {
    /// Versions count from 0, one for each change.
    package func bounded() -> ConfigurationReport { ConfigurationReport(version: min(max(version, 0), Int(Int32.max))) }
}

extension SendingReport {
    package func bounded() -> SendingReport {
        SendingReport(broadcast: broadcast, revision: revision, state: state, reason: reason?.bounded())
    }
}

extension AgentTelemetry {
    package func bounded() -> AgentTelemetry {
        var result = self
        result.links = links.prefix(WireLimits.listEntries).map { link in
            var link = link
            link.name = link.name.bounded(to: 64)
            return link
        }
        return result
    }
}

extension CommandOutcome {
    package func bounded() -> CommandOutcome {
        CommandOutcome(id: id, result: result, step: step?.bounded(to: 64), reason: reason?.bounded(), port: port)
    }
}
