import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

/**
 * The JDK's own revocation check, as a bank's Java program has it. Run by tests/clients/jdk.rs.
 *
 * Each line of the standard input is ROOT, ISSUER, LEAF (PEM files) and URL, parted by tabs; without a URL the
 * certificate itself says whom to ask. For each one line is printed: GOOD, REVOKED REASON SECONDS, or REFUSED REASON.
 */
public class Jdk {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] part = line.split("\t", -1);
            System.out.println(judge(read(part[0]), read(part[1]), read(part[2]), part[3]));
        }
    }

    private static String judge(X509Certificate root, X509Certificate issuer, X509Certificate leaf, String url)
            throws Exception {
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        // No way out by CRLs, no soft failure: what can't be answered is refused.
        checker.setOptions(Set.of(
                PKIXRevocationChecker.Option.NO_FALLBACK, PKIXRevocationChecker.Option.ONLY_END_ENTITY));
        if (!url.isEmpty()) {
            checker.setOcspResponder(new URI(url));
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertPathChecker(checker);
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            validator.validate(factory.generateCertPath(List.of(leaf, issuer)), parameters);
            return "GOOD";
        } catch (CertPathValidatorException refused) {
            if (refused.getCause() instanceof CertificateRevokedException revoked) {
                long seconds = revoked.getRevocationDate().getTime() / 1000;
                return "REVOKED " + revoked.getRevocationReason() + " " + seconds;
            }
            return "REFUSED " + refused.getReason();
        }
    }

    private static X509Certificate read(String file) throws Exception {
        try (InputStream in = new FileInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }
}
