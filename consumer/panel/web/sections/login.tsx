// The form for the token, when the service requires one.
import { useController } from '../state/use-controller.ts'

export const Login = ({ wasGiven }: { readonly wasGiven: boolean }) => {
  const controller = useController()
  const logIn = (event: SubmitEvent): void => {
    event.preventDefault()
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token')
    controller.logIn(String(token ?? ''))
  }
  return (
    <main class="gate">
      <form onSubmit={logIn} data-testid="login">
        <h1>Ringside</h1>
        <label class="field">
          <span>token</span>
          <input name="token" type="password" autocomplete="current-password" required aria-describedby="token-help" />
        </label>
        <button type="submit">Log in</button>
        {wasGiven && (
          <p class="bad" role="alert" data-testid="refused">
            The service refused this token.
          </p>
        )}
        <p id="token-help" class="dim">
          Enter the service's <code>panel.token</code> (<code>RINGSIDE_PANEL_TOKEN</code>). This tab keeps it until it
          is closed.
        </p>
      </form>
    </main>
  )
}
