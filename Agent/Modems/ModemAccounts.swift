/// Which modem is connected how: what is said of one modem or SIM card, and what holds for all others.
package struct ModemAccounts: Sendable, Hashable {
    /// nil leaves modems that nothing is said of to others.
    package var standard: ModemAccess?
    /// The first that fits is taken.
    package var own: [Own]

    package struct Own: Sendable, Hashable {
        /// The modem's id (IMEI), and the number of its SIM card (ICCID); nil fits any.
        package var modem: String?
        package var sim: String?
        package var access: ModemAccess

        package init(modem: String?, sim: String?, access: ModemAccess) {
            self.modem = modem
            self.sim = sim
            self.access = access
        }
    }

    package init(standard: ModemAccess?, own: [Own] = []) {
        self.standard = standard
        self.own = own
    }

    enum Choice: Equatable {
        case access(ModemAccess)
        /// Left to others.
        case none
        /// Another card's access point or PIN must not be tried on it.
        case unknownCard
    }

    func choice(for modem: Modem) -> Choice {
        for one in own where one.modem == nil || one.modem == modem.figures.id {
            guard let sim = one.sim else { return .access(one.access) }
            guard let number = modem.simNumber else {
                // Without a card nothing is tried anyhow.
                if modem.simPath == nil { continue }
                return .unknownCard
            }
            if number == sim { return .access(one.access) }
        }
        return standard.map(Choice.access) ?? .none
    }
}
