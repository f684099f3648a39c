import Foundation
import Support
import Testing

/// The look of an organisation's own, in the web application.
@Suite(.serialized, .unlessStolen)
struct DashboardBrandingTests {
    @Test(
        "an admin chooses colours and a logo, sees beside the form what they would be like, is refused what nobody can read, and has them everywhere when they are saved",
        .row("ORG-07", "ORG-12", "ORG-14", "ORG-16", "ORG-18", "ORG-19", "CTL-20"))
    func chosen() async throws {
        try await atFrontDesk { desk in
            _ = try await desk.owner()
            let browser = try await Chromium(on: desk.stage)
            let page = Dashboard(browser: browser, server: desk.server)
            try await browser.open(page.server + "/")
            try await signIn(page, desk)
            try await page.manage("Organisation")
            try await page.press("Branding")
            try await page.fill("Brand colour", "#aa3300")
            func shade(_ element: String) -> String {
                "getComputedStyle(document.querySelector('\(element)')).getPropertyValue('--brand-500').trim()"
            }
            try await page.wait("\(shade(".preview")) === '#aa3300' && \(shade(":root")) === ''", "the preview has it, the page has not")
            try await choose("Logo", page)
            try await page.wait("document.querySelector('.preview canvas.logo')?.width > 0", "the preview shows the logo")
            #expect(try await page.faults() == [])
            try await browser.screenshot("app-brand-1-preview")

            try await page.fill("Background (optional)", "#808080")
            try await page.press("Save")
            try await page.see("needs 4.5")
            _ = browser.takeComplaints()  // The colour that was refused.
            try await page.fill("Background (optional)", "")
            try await page.fill("Corners", "sharp")
            try await page.press("Save")
            try await page.see("Saved")
            try await page.wait("document.querySelector('.bar img.logo')?.naturalWidth > 0", "the logo stands above every page")
            #expect(try await page.run(shade(":root")) as? String == "#aa3300")
            #expect(try await page.run("getComputedStyle(document.querySelector('.card')).borderRadius") as? String == "0px")
            #expect(try await page.run("document.documentElement.dataset.theme") as? String == "dark", "as the organisation has it")
            #expect(try await page.pale() == [])
            #expect(try await page.faults() == [])
            try await browser.screenshot("app-brand-2-saved")
            // What is wrong with it as a policy of the page would be a complaint.
            #expect(browser.takeComplaints() == [])

            // Read anew, by a browser that has been told nothing.
            try await page.go("/admin/members")
            try await page.wait("document.querySelector('.bar img.logo')?.naturalWidth > 0", "it is there after the page is loaded again")
            try await browser.resize(width: 360, height: 740)
            #expect(try await page.faults() == [])
            try await profile(page)
            try await words(page)
            try await door(page)
        }
    }

    /// The page to sign in is the organisation's, to a browser that knows nothing but where the server is.
    private func door(_ page: Dashboard) async throws {
        try await page.press("Account and settings of Chief")
        try await page.press("Sign out")
        try await page.wait("strata.named('input', 'Mail address') !== null", "the door is shown")
        try await page.go("/")
        try await page.wait("document.querySelector('.entry img.logo')?.naturalWidth > 0", "the logo stands on it")
        try await page.wait("document.querySelector('link[rel=icon]') === null", "it has no icon of its own")
        #expect(try await page.faults() == [])
        #expect(try await page.pale() == [])
        try await page.browser.screenshot("app-brand-4-door")
        try await page.go("/?organization=nobody")
        try await page.wait("strata.named('input', 'Mail address') !== null", "the door is shown")
        #expect(try await page.run("strata.named('input', 'Organisation')?.value ?? ''") as? String == "nobody")
        #expect(try await page.run("document.querySelector('.entry img.logo') === null") as? Bool == true, "it is not told of another one")
    }

    /// A text of the organisation's own stands at once where the catalogue's did, as text and nothing else.
    private func words(_ page: Dashboard) async throws {
        try await page.manage("Organisation")
        try await page.press("Localisation")
        try await page.fill("Look for a text", "Senders")
        try await page.fill("Text", "nav.senders")
        try await page.fill("In your words", "<b>Vans</b>")
        #expect(try await page.faults() == [])
        try await page.press("Say it so")
        try await page.wait("strata.named('#navigation a', '<b>Vans</b>') !== null", "the navigation says it so")
        try await page.go("/account")
        try await page.wait("strata.named('#navigation a', '<b>Vans</b>') !== null", "it is read again")
        try await page.go("/admin/organization")
        try await page.press("Localisation")
        try await page.press("Remove <b>Vans</b>")
        try await page.wait("strata.named('#navigation a', 'Senders') !== null", "the catalogue's own is back")
        #expect(page.browser.takeComplaints() == [])
    }

    /// One's own picture and name, which show at once.
    private func profile(_ page: Dashboard) async throws {
        try await page.browser.resize(width: 1280, height: 860)
        try await page.go("/account")
        try await page.fill("Name", "Chief")
        try await choose("Picture", page)
        try await page.wait("document.querySelector('canvas.picture') !== null", "it is shown before it is sent")
        try await page.press("Save")
        try await page.wait("document.querySelector('.bar img.avatar')?.naturalWidth > 0", "it stands beside the name")
        try await page.wait("strata.named('button', 'Account and settings of Chief') !== null", "so does the name")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-brand-3-profile")
        #expect(page.browser.takeComplaints() == [])
    }

    private func signIn(_ page: Dashboard, _ desk: FrontDesk) async throws {
        try await page.fill("Mail address", "owner@example.org")
        try await page.fill("Password", desk.installation.ownerPassword)
        try await page.press("Sign in")
        try await page.wait("strata.named('button', 'Admin') !== null", "the owner is in")
    }

    /// Chooses a file of 300x100 points, as a person does.
    private func choose(_ field: String, _ page: Dashboard) async throws {
        _ = try await page.run(
            """
            (() => {
              const canvas = Object.assign(document.createElement('canvas'), { width: 300, height: 100 });
              canvas.getContext('2d').fillRect(20, 20, 200, 40);
              canvas.toBlob(blob => {
                const list = new DataTransfer(), input = strata.named('input', '\(field)');
                list.items.add(new File([blob], 'picture.png', { type: 'image/png' }));
                input.files = list.files;
                input.dispatchEvent(new Event('change', { bubbles: true }));
              });
            })()
            """)
    }
}
